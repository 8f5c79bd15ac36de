// The pages of lessons: contents, a page with its animation, exercises that are checked.

import { AddressError } from "../address.js";
import { h } from "../dom.js";
import { _ } from "../words.js";

const NEAR = 0.0051; // the largest error of a right answer: two decimals are enough

const LARGEST_ANSWER = 1e12; // answers are smaller

const to = (place, ...text) => h("a", { href: `#${encodeURIComponent(place)}` }, ...text);

/** The view of a place that is no number: the contents, a page such as lesson/perceptron/3, or its exercises. */
export function lessonView(app, place, refresh) {
  const { lessons } = app.manifest;
  if (place === "") return lessons.length === 1 ? pageView(app, lessons[0].name, "1") : contentsView(app);
  const [, name, which] = /^lesson\/([\w-]+)\/(\d+|exercises)$/.exec(place) ?? [];
  const lesson = app.lesson(name);
  if (lesson === undefined || Number(which) < 1 || Number(which) > lesson.pages.length)
    throw new AddressError(_("nothing is named {name}", { name: place }));
  return which === "exercises" ? exercisesView(app, name, refresh) : pageView(app, name, which);
}

function contentsView(app) {
  app.reading = null;
  const items = app.manifest.lessons.map(({ name }) => {
    const { title, summary, pages } = app.lesson(name);
    const list = pages.map((page, i) => h("li", {}, to(`lesson/${name}/${i + 1}`, page.title)));
    return h(
      "li",
      {},
      h("h2", {}, to(`lesson/${name}/1`, title)),
      h("p", {}, summary),
      h("details", {}, h("summary", {}, _("its pages")), h("ol", {}, list)),
      h("p", {}, to(`lesson/${name}/exercises`, _("Exercises"))),
    );
  });
  return [h("h1", {}, _("Lessons, in the order in which they build on each other:")), h("ol", { class: "contents" }, items)];
}

function pageView(app, name, which) {
  app.reading = name;
  const { title, pages } = app.lesson(name);
  const number = Number(which);
  app.page.set(name, number);
  const { title: head, html, frames } = pages[number - 1];
  const label = _("page {number} of {count}", { number, count: pages.length });
  return [
    h("p", { class: "quiet" }, `${title} · ${label}`),
    h("h1", {}, head),
    ...fromHtml(app, name, html),
    frames.length ? player(app, name, frames) : null,
    h(
      "nav",
      { class: "turn", "aria-label": _("pages") },
      number > 1 ? to(`lesson/${name}/${number - 1}`, `← ${pages[number - 2].title}`) : h("span"),
      number < pages.length
        ? to(`lesson/${name}/${number + 1}`, `${pages[number].title} →`)
        : to(`lesson/${name}/exercises`, `${_("Exercises")} →`),
    ),
  ];
}

/** Headings below the one of the page: the first level that there is becomes h2, and so on. */
function lowerHeadings(content) {
  const levels = ["h2", "h3", "h4", "h5"].filter((level) => content.querySelector(level));
  levels.forEach((level, i) => {
    for (const each of content.querySelectorAll(level)) each.replaceWith(h(`h${i + 2}`, {}, ...each.childNodes));
  });
}

const COMMAND = /^llmtrace learn ([\w-]+)(?: --explain "([\w.]+ [^"]+)")?$/;

const ASKED = /^([\w.]+) [\w.]+\[[^\]]*\]$/;
const LESSONS_OF = "llmtrace learn …"; // the title of a column of lessons' names

/** Commands that show what is in this file become links to it: another lesson, or a number's explanation. */
function followCommands(app, lesson, content) {
  for (const each of content.querySelectorAll(".value")) {
    const asked = ASKED.test(each.textContent) ? [null, lesson, each.textContent] : null;
    const [, name, address] = asked ?? COMMAND.exec(each.textContent) ?? [];
    const place = address === undefined ? `lesson/${name}/1` : `${name}/${address}`;
    if (app.leadsTo(name, address)) each.replaceChildren(to(place, each.textContent));
  }
  for (const table of content.querySelectorAll("table")) {
    const column = [...table.querySelectorAll("thead th")].findIndex((head) => head.textContent.includes(LESSONS_OF));
    if (column < 0) continue;
    for (const { cells } of table.tBodies[0].rows) {
      const names = cells[column].textContent.split(", ");
      const links = names.flatMap((name, i) => [i ? ", " : "", app.leadsTo(name) ? to(`lesson/${name}/1`, name) : name]);
      cells[column].replaceChildren(...links);
    }
  }
}

/** Elements of what Python has written as HTML, in which every text of others is only a text. */
function fromHtml(app, lesson, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const element of template.content.querySelectorAll("[data-style]")) {
    element.style.cssText = element.dataset.style;
    const shade = /^background:rgba\((\d+),(\d+),(\d+),([\d.]+)\)$/.exec(element.dataset.style)?.slice(1).map(Number);
    if (shade !== undefined) {
      const onWhite = shade.slice(0, 3).map((part) => Math.round(255 + (part - 255) * shade[3]));
      element.style.cssText = `background: rgb(${onWhite}); color: #000`; // also where paper is dark
    }
    element.removeAttribute("data-style");
  }
  lowerHeadings(template.content);
  followCommands(app, lesson, template.content);
  for (const head of template.content.querySelectorAll("th")) {
    if (!head.textContent.trim()) head.replaceWith(h("td"));
  }
  for (const wide of template.content.querySelectorAll("table, svg, pre")) {
    const box = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": _("a table or a picture") });
    wide.replaceWith(box);
    box.append(wide);
  }
  return [...template.content.children].map((part) => h("div", { class: "llmtrace" }, part));
}

/** An animation: one frame after the other, by keys, by buttons, or by itself. */
function player(app, lesson, frames) {
  const shown = h("div", { class: "llmtrace frame" });
  let [at, timer] = [0, null];
  const field = h("input", { type: "range", min: "0", max: String(frames.length - 1), value: "0", "aria-label": _("step") });
  const draw = (place) => {
    at = Math.max(0, Math.min(frames.length - 1, place));
    field.value = String(at);
    shown.replaceChildren(...fromHtml(app, lesson, frames[at]));
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = _("play");
  };
  const begin = () => {
    if (timer !== null) return stop();
    if (at === frames.length - 1) draw(0);
    play.textContent = _("stop");
    timer = setInterval(() => {
      if (!shown.isConnected || at === frames.length - 1) return stop();
      draw(at + 1);
    }, 700);
  };
  const play = h("button", { id: "play", onclick: begin }, _("play"));
  field.addEventListener("input", () => draw(Number(field.value)));
  draw(0);
  return h(
    "section",
    { "aria-label": _("animation") },
    h("p", {}, play, " ", h("button", { onclick: () => draw(at - 1) }, "←"), " ", h("button", { onclick: () => draw(at + 1) }, "→"), " ", field),
    shown,
  );
}

function exercisesView(app, name, refresh) {
  app.reading = name;
  const { title, exercises } = app.lesson(name);
  const items = exercises.map((variants, i) => exerciseItem(app, `${name}/${i}`, variants, refresh));
  return [h("p", { class: "quiet" }, title), h("h1", {}, _("Exercises")), h("ol", {}, items)];
}

function exerciseItem(app, key, variants, refresh) {
  const drawn = app.variants.get(key) ?? 0;
  const asked = variants[drawn % variants.length];
  const field = h("input", { type: "text", inputmode: "decimal", size: "10", "aria-label": _("your answer") });
  const reply = h("p", { "aria-live": "polite" });
  const check = (event) => {
    event.preventDefault();
    reply.replaceChildren(...marked(replyTo(asked, field.value)));
  };
  const tell = () =>
    reply.replaceChildren(...marked(_("Answer: {answer}. {solution}", { answer: asked.answer, solution: asked.solution })));
  const another = () => {
    app.variants.set(key, drawn + 1);
    refresh();
  };
  return h(
    "li",
    {},
    h("p", {}, marked(asked.question)),
    h(
      "form",
      { onsubmit: check },
      field,
      " ",
      h("button", {}, _("check")),
      " ",
      h("button", { type: "button", onclick: tell }, _("show the answer")),
      " ",
      h("button", { type: "button", onclick: another }, _("other numbers")),
    ),
    reply,
  );
}

const WRITTEN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const GROUPED = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const trimmed = (text) => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");

/** The numbers that an answer may mean: `1,208` has two readings, words have none. */
function numbersIn(typed) {
  const narrow = typed.replace(/[\uFF01-\uFF5E]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0xfee0));
  const text = trimmed(narrow.replaceAll("\u3000", " ").replace(/[−负]/g, "-"));
  const found = [fraction(text.replaceAll(",", "."))];
  if (GROUPED.test(text)) found.push(Number(text.replaceAll(",", "")));
  return found.filter((number) => Math.abs(number) < LARGEST_ANSWER);
}

/** A number, or one divided by another; else NaN. */
function fraction(text) {
  const parts = text.split("/").map(trimmed);
  if (parts.length > 2 || !parts.every((part) => WRITTEN.test(part))) return NaN;
  const [above, below] = parts.map(Number);
  if (below === undefined) return above;
  return below === 0 ? NaN : above / below;
}

/** What is said to an answer, as the terminal says it. */
export function replyTo({ value, solution, mistakes, hint }, typed) {
  const numbers = numbersIn(typed);
  const isNear = (wanted) => numbers.some((number) => Math.abs(number - wanted) <= NEAR);
  if (!numbers.length) return _("Answer with a number, such as {example}.", { example: "−3.5" });
  if (isNear(value)) return _("Right: {solution}", { solution });
  const found = mistakes.find(([wrong]) => isNear(wrong));
  if (found) return found[1];
  if (isNear(-value)) return _("Nearly: look at the sign again.");
  return hint ? _("Not quite. {hint}", { hint }) : _("Not quite. Read the question once more.");
}

/** A text with **strong** and `code` in it. */
function marked(text) {
  return text.split(/(\*\*.+?\*\*|`.+?`)/).map((piece) => {
    if (piece.startsWith("**")) return h("strong", {}, piece.slice(2, -2));
    return piece.startsWith("`") ? h("code", {}, piece.slice(1, -1)) : piece;
  });
}
