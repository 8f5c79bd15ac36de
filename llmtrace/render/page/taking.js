// What can be taken along from a view: a picture of it, a sheet of paper; and the view step by step, for a class.

import { drawingOf, pngOf, svgOf } from "./drawing.js";
import { h, offer } from "./dom.js";
import { _ } from "./words.js";

/** The buttons at the end of every view. */
export function takingLine(main, place, present) {
  const name = (place || "start").replace(/[^\p{L}\p{N}.=-]+/gu, "_").slice(0, 80);
  const button = (label, title, onclick) => h("button", { "aria-label": title, title, onclick }, label);
  return h(
    "p",
    { class: "take" },
    button("SVG", _("this view as an SVG file"), () => offer(`${name}.svg`, "image/svg+xml", svgOf(drawingOf(main)))),
    button("PNG", _("this view as a PNG file"), async () =>
      offer(`${name}.png`, "image/png", await pngOf(drawingOf(main))),
    ),
    button(_("print"), _("this view on paper"), () => print()),
    button(_("step by step"), _("this view step by step, in large letters"), present),
  );
}

/** A view of which one part after the other appears. */
export class Presentation {
  constructor(main) {
    Object.assign(this, { main, on: false, step: 0 });
  }

  get parts() {
    return [...this.main.children].filter((part) => !part.matches(".trail, .take"));
  }

  /** Begins, or ends. */
  toggle(on = !this.on) {
    Object.assign(this, { on, step: 0 });
    this.shown();
  }

  /** One step on, or back. */
  go(by) {
    this.step = Math.max(0, Math.min(this.parts.length - 1, this.step + by));
    this.shown();
    const part = this.parts[this.step];
    part?.scrollIntoView({ block: "nearest" });
  }

  shown() {
    document.documentElement.classList.toggle("present", this.on);
    this.parts.forEach((part, i) => (part.hidden = this.on && i > this.step));
  }
}
