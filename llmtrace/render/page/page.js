// The page: reads what stands in it, shows the place that the address bar names, and listens to keys.

import { fail } from "./needed.js";
import { AddressError, parseAddress, resolveIndex } from "./address.js";
import { App } from "./app.js";
import { DamagedError } from "./data.js";
import { h, link } from "./dom.js";
import { LessonApp } from "./lessons.js";
import { sha256 } from "./sha256.js";
import { PackedSource, ServedSource, ServerError } from "./sources.js";
import { Needed } from "./stored.js";
import { StoredApp } from "./stored_app.js";
import { Presentation, takingLine } from "./taking.js";
import { _, N_, speak, spokenLanguage } from "./words.js";
import { blockView } from "./views/block.js";
import { headView } from "./views/head.js";
import { helpView } from "./views/help.js";
import { lessonView } from "./views/lesson.js";
import { mlpView } from "./views/mlp.js";
import { nextView } from "./views/next.js";
import { numberView } from "./views/number.js";
import { overviewView } from "./views/overview.js";
import { sentenceView } from "./views/sentence.js";
import { tensorView } from "./views/tensor.js";
import { whatIfView } from "./views/whatif.js";

const VIEWS = { sentence: sentenceView, next: nextView, "what-if": whatIfView, help: helpView };
const LANGUAGES = { en: "English", zh: "中文" };

const main = document.getElementById("main");
const presentation = new Presentation(main);
let app = null;

/** The elements of the place that an address names. */
function viewOf(place) {
  if (app instanceof LessonApp && place !== "help") {
    const entered = app.enter(place);
    return entered === null ? lessonView(app, place, show) : viewOfAddress(entered.address);
  }
  if (place === "") return overviewView(app, show);
  if (Object.hasOwn(VIEWS, place) && (app.canRun || place === "help")) return VIEWS[place](app, show);
  const block = /^block\.(\d+)(\.attn|\.mlp)?$/.exec(place);
  if (block && Number(block[1]) < app.manifest.config.blocks) {
    return block[2] === ".mlp" ? mlpView(app, block[1]) : blockView(app, block[1]);
  }
  return viewOfAddress(place);
}

function viewOfAddress(place) {
  const parsed = parseAddress(place);
  const tensor = app.run.tensor(parsed.name);
  if (tensor === undefined) throw new AddressError(_("nothing is named {name}", { name: parsed.name }));
  const index = resolveIndex(parsed, tensor, (axis, i) => app.words.label(app.run, axis, i));
  if (!index.includes(null)) return numberView(app, parsed.name, index, show);
  const heads =
    app.words.kind(parsed.name) === "pattern" && index[0] !== null && index[1] === null && index[2] === null;
  return heads ? headView(app, parsed.name, index[0], show) : tensorView(app, parsed.name, index, show);
}

function currentPlace() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1); // not every % means a character
  }
}

/** Shows the current place; `focus` is the element that gets the keyboard. */
async function show(focus = null) {
  const place = currentPlace();
  let view = null;
  while (view === null) {
    try {
      view = viewOf(place);
    } catch (error) {
      if (error instanceof Needed) view = await problemOf(error.load);
      else if (error instanceof AddressError) view = [h("h1", {}, place), alertOf(error)];
      else throw error;
      if (place !== currentPlace()) return; // the reader has gone on meanwhile
    }
  }
  document.documentElement.lang = spokenLanguage();
  document.title = titleOf(place) || app.manifest.text.slice(0, 80);
  document.querySelector("header")?.replaceWith(header(place));
  const taking = takingLine(main, place, () => presentation.toggle());
  main.replaceChildren(...[trail(place), view, taking].flat(Infinity).filter(Boolean));
  if (presentation.on) presentation.toggle(true);
  if (typeof focus === "string") document.getElementById(focus)?.focus();
  else if (focus instanceof Event) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

const alertOf = (error) => h("p", { class: "wrong", role: "alert" }, error.message);

/** Does what a view needs; null, or what is shown where that fails. */
async function problemOf(load) {
  try {
    await load();
    return null;
  } catch (error) {
    return [h("h1", {}, currentPlace()), alertOf(error instanceof DamagedError ? new Error(damaged(error)) : error)];
  }
}

const DAMAGED = N_("This file is damaged: the numbers of {name} are not those that were written.");
const damaged = (error) => _(DAMAGED, { name: error.tensor });

/** A view by the name that the header calls it; any other place by its address. */
function titleOf(place) {
  const titles = { sentence: _("my sentence"), next: _("next token"), "what-if": _("what if"), help: _("help") };
  return Object.hasOwn(titles, place) ? titles[place] : place;
}

/** Where one is: the start, then every part of the address that is a place. */
function trail(place) {
  if (app instanceof LessonApp) return lessonTrail(place);
  const steps = [link("", _("start"))];
  const [name] = place.split("[");
  const block = /^block\.\d+/.exec(name);
  if (block && place !== block[0]) steps.push(link(block[0], block[0]));
  const tensor = app.run.tensor(name);
  if (tensor !== undefined && name !== place) steps.push(link(name, name));
  if (place) steps.push(h("span", { "aria-current": "page" }, titleOf(place)));
  return h(
    "nav",
    { class: "trail", "aria-label": _("where you are") },
    steps.flatMap((step, i) => [i ? " › " : "", step]),
  );
}

/** The contents, the lesson's page, the number. */
function lessonTrail(place) {
  const name = /^(?:lesson\/)?([\w-]+)\//.exec(place)?.[1];
  const to = (target, text) => h("a", { href: `#${encodeURIComponent(target)}` }, text);
  const steps = [to("", _("start"))];
  if (app.lesson(name)) steps.push(to(`lesson/${name}/${app.page.get(name) ?? 1}`, app.lesson(name).title));
  if (place.includes(" ")) steps.push(h("span", { "aria-current": "page" }, place.slice(place.indexOf(" ") + 1)));
  return h("nav", { class: "trail", "aria-label": _("where you are") }, steps.flatMap((step, i) => [i ? " › " : "", step]));
}

function header(place) {
  const field = h("input", {
    type: "search",
    id: "search",
    list: "names",
    size: "28",
    "aria-label": _("address"),
    placeholder: app instanceof LessonApp ? app.names().find((name) => name.includes(" ")) : _("address, such as logits[-1, 3]"),
  });
  const search = (event) => {
    event.preventDefault();
    location.hash = encodeURIComponent(app.placeOf(field.value));
  };
  const names = h(
    "datalist",
    { id: "names" },
    app.names().map((name) => h("option", { value: name })),
  );
  const languages = h(
    "select",
    { id: "language", "aria-label": _("language") },
    Object.keys(app.manifest.languages).map((name) =>
      h("option", { value: name, selected: name === spokenLanguage() }, LANGUAGES[name] ?? name),
    ),
  );
  languages.addEventListener("change", () => {
    speak(languages.value);
    show("language");
  });
  const tab = (to, text) => h("a", { href: `#${to}`, "aria-current": place === to ? "page" : null }, text);
  return h(
    "header",
    {},
    h(
      "nav",
      { "aria-label": _("views") },
      tab("", _("start")),
      app.canRun
        ? [tab("sentence", _("my sentence")), tab("next", _("next token")), tab("what-if", changesLabel())]
        : null,
      tab("help", _("help")),
    ),
    app instanceof LessonApp && !app.names().length ? null : h("form", { role: "search", onsubmit: search }, field, names),
    languages,
  );
}

const changesLabel = () => (app.changes.length ? _("what if ({count})", { count: app.changes.length }) : _("what if"));

/** Keys that work wherever nothing is typed. */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const onNext = currentPlace() === "next";
  if (presentation.on && presents(event)) return event.preventDefault();
  if (onNext && (event.key === "ArrowRight" || (event.key === " " && event.target.tagName !== "BUTTON"))) {
    document.getElementById("step").click();
  } else if (onNext && event.key === "ArrowLeft") document.getElementById("back").click();
  else if (event.key === "/" || (event.key === "e" && app instanceof LessonApp)) document.getElementById("search")?.focus();
  else if (event.key === "a" && app instanceof LessonApp) document.getElementById("play")?.click();
  else if (event.key === "?") location.hash = "help";
  else if (event.key === "h") location.hash = "";
  else if (event.key === "p") presentation.toggle();
  else if (event.key === "n" && app.canRun) location.hash = "next";
  else if (event.key === "w" && app.canRun) location.hash = "what-if";
  else if (event.key === "u" && app.canRun) undo();
  else if (event.key === "l") {
    const names = Object.keys(app.manifest.languages);
    speak(names[(names.indexOf(spokenLanguage()) + 1) % names.length]);
    show();
  } else return;
  event.preventDefault();
}

/** In a frame of a notebook, a link to a place would be one to a place of the notebook. */
function follow(event) {
  const target = event.target.closest?.("a[href^='#']");
  if (!target || location.protocol !== "about:" || event.defaultPrevented) return;
  event.preventDefault();
  location.hash = target.getAttribute("href");
}

/** What the server refuses to do is said at the top. */
function onRefusal(event) {
  if (!(event.reason instanceof ServerError || event.reason instanceof TypeError)) return;
  event.preventDefault();
  main.prepend(alertOf(event.reason));
}

/** Keys while a view is shown step by step. */
function presents({ key, target }) {
  if (key === "Escape") presentation.toggle(false);
  else if (key === "ArrowRight" || key === "PageDown" || (key === " " && target.tagName !== "BUTTON")) presentation.go(1);
  else if (key === "ArrowLeft" || key === "PageUp") presentation.go(-1);
  else return false;
  return true;
}

async function undo() {
  await app.undo();
  show();
}

async function begin() {
  const text = document.getElementById("manifest").textContent;
  if (sha256(new TextEncoder().encode(text)) !== MANIFEST_DIGEST)
    return fail(N_("This file is damaged: its description has changed."));
  const manifest = JSON.parse(text);
  speak(manifest.language, manifest.languages);
  const textOf = (name) => document.getElementById(name)?.textContent ?? ""; // which is damaged, too
  if (manifest.kind === "model") app = new App(manifest);
  else if (manifest.kind === "lessons") app = new LessonApp(manifest, textOf);
  else app = new StoredApp(manifest, manifest.kind === "served" ? new ServedSource() : new PackedSource(textOf));
  try {
    await app.start(textOf);
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    return fail(DAMAGED, { name: error.tensor });
  }
  document.getElementById("fallback").remove();
  document.body.prepend(h("header"));
  if (manifest.place && !location.hash) location.hash = encodeURIComponent(manifest.place);
  addEventListener("hashchange", show);
  addEventListener("click", follow);
  addEventListener("keydown", onKey);
  addEventListener("unhandledrejection", onRefusal);
  show();
  performance.mark("ready");
}

begin();
