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

/** How a number is asked for that is in no run of the file. */
const elsewhere = (lesson, trace, address) =>
  _("the numbers of {name} are not in this page; in a terminal, this explains one: {command}", {
    name: trace,
    command: `llmtrace learn ${lesson} --explain "${trace} ${address}"`,
  });

const NUMBER = /^([\w-]+)\/([\w.]+) (.*)$/s;

export class LessonApp extends App {
  constructor(manifest, textOf) {
    super(manifest);
    this.source = new LessonSource(textOf);
    this.runs = new Map();
    this.page = new Map(); // of each lesson: the page that was read last
    this.variants = new Map();
    this.reading = null; // the lesson that is on the screen
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
    if (lesson === undefined) throw new AddressError(_("nothing is named {name}", { name: place }));
    this.reading = name;
    if (!Object.hasOwn(lesson.runs, trace)) throw new AddressError(elsewhere(name, trace, address));
    const { runs, legends, vocabularies } = this.manifest;
    const number = lesson.runs[trace];
    if (!this.runs.has(number)) this.runs.set(number, new StoredRun(runs[number], this.source));
    this.run = this.plain = this.runs.get(number);
    this.words = new Descriptions(legends[runs[number].legend], vocabularies[runs[number].vocabulary]);
    within(`${name}/${trace} `);
    return { name, address };
  }

  /** What can be asked for: each trace of the lesson with each of its tensors. */
  names() {
    const own = this.lesson(this.reading)?.runs ?? {};
    return Object.entries(own).flatMap(([trace, number]) =>
      this.manifest.runs[number].tensors.map(({ name }) => `${trace} ${name}`),
    );
  }

  /** The place that is meant by what the reader of a lesson asks for: a trace and an address in it. */
  placeOf(asked) {
    return `${this.reading}/${asked.trim()}`;
  }
}
