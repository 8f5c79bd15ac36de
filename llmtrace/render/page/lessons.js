// A file of lessons: their pages in each language, the numbers of their traces with their explanations, and exercises.

import { AddressError } from "./address.js";
import { App } from "./app.js";
import { Descriptions } from "./describe.js";
import { inflatedText } from "./data.js";
import { within } from "./dom.js";
import { PackedSource } from "./sources.js";
import { StoredRun } from "./stored.js";
import { _, spokenLanguage } from "./words.js";

/** Tensors and explanations in elements whose ids the records name. */
class LessonSource extends PackedSource {
  constructor(textOf) {
    super(textOf);
    this.explained = new Map();
  }

  idOf(record, entry) {
    return entry.id;
  }

  /** An explanation; null for a number that has none in the file. */
  async explanation(record, address) {
    const id = record.explanations;
    if (!this.explained.has(id)) this.explained.set(id, JSON.parse(await inflatedText(this.textOf(id), id)));
    return this.explained.get(id)[address] ?? null;
  }
}

const NUMBER = /^([\w-]+)\/([\w.]+) (.*)$/s;

export class LessonApp extends App {
  constructor(manifest, textOf) {
    super(manifest);
    this.source = new LessonSource(textOf);
    this.runs = new Map();
    this.page = new Map(); // of each lesson: the page that was read last
    this.variants = new Map();
  }

  get canRun() {
    return false;
  }

  async start() {}

  /** A lesson in the reader's language; undefined where there is none of this name. */
  lesson(name) {
    return this.manifest.lessons.find((each) => each.name === name)?.in[spokenLanguage()];
  }

  /** Whether a lesson is in the file and, if one is named, the trace of an address such as `leaf hidden.1.sum[0]`. */
  leadsTo(name, address) {
    const lesson = this.lesson(name);
    return lesson !== undefined && (address === undefined || Object.hasOwn(lesson.runs, address.split(" ", 1)[0]));
  }

  /** What a place of a lesson's number means: the lesson, and the address in the trace that is now looked at; or null. */
  enter(place) {
    const [, name, trace, address] = NUMBER.exec(place) ?? [];
    if (name === undefined) return null;
    const lesson = this.lesson(name);
    if (lesson === undefined || !Object.hasOwn(lesson.runs, trace))
      throw new AddressError(_("nothing is named {name}", { name: place }));
    const { runs, legends, vocabularies } = this.manifest;
    const number = lesson.runs[trace];
    if (!this.runs.has(number)) this.runs.set(number, new StoredRun(runs[number], this.source));
    this.run = this.plain = this.runs.get(number);
    this.words = new Descriptions(legends[runs[number].legend], vocabularies[runs[number].vocabulary]);
    within(`${name}/${trace} `);
    return { name, address };
  }

  names() {
    return [];
  }
}
