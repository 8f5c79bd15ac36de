// One tensor as a grid of cells, of which only those in sight are drawn; with arrow keys, and words for who can't see it.

import { addressOf } from "../address.js";
import { sameBits } from "../arithmetic.js";
import { h, hashOf, link } from "../dom.js";
import { REDRAW } from "../drawing.js";
import { counted, exactOf, rounded } from "../numbers.js";
import { offset } from "../tensors.js";
import { N_, _, quoted } from "../words.js";

const HEIGHT = 20;
const MARGIN = 84; // for what the rows are called
const FEW = 16; // columns of which each has room for its number

/** The numbers of a tensor whose index leaves at most two axes open (null): those are the rows and the columns. */
export function gridView(app, name, index) {
  const grid = new Grid(app, name, index);
  return grid.elements();
}

class Grid {
  /** Keeps the run that it shows: while a view of another run is made, this one is still on the screen and drawn. */
  constructor({ run, plain, words }, name, index) {
    Object.assign(this, { run, words, name, index });
    this.tensor = run.tensor(name);
    this.before = plain.tensor(name);
    const open = index.flatMap((entry, axis) => (entry === null ? [axis] : []));
    [this.rowAxis, this.columnAxis] = open.length > 1 ? open : [null, open[0] ?? null];
    this.rows = this.rowAxis === null ? 1 : this.tensor.shape[this.rowAxis];
    this.columns = this.columnAxis === null ? 1 : this.tensor.shape[this.columnAxis];
    this.scale = parseFloat(getComputedStyle(document.body).fontSize) / 16; // as large as the text is
    this.width = (this.columns <= FEW ? 64 : 20) * this.scale;
    [this.height, this.margin] = [HEIGHT * this.scale, MARGIN * this.scale];
    this.chosen = { row: 0, column: 0 };
    this.largest = this.sizeOfLargest();
  }

  place(row, column) {
    return this.index.map((entry, axis) => (axis === this.rowAxis ? row : axis === this.columnAxis ? column : entry));
  }

  value(row, column) {
    return this.tensor.data[offset(this.tensor.shape, this.place(row, column))];
  }

  changed(row, column) {
    const { before } = this;
    if (before === undefined || before === this.tensor || before.data.length !== this.tensor.data.length) return false;
    const at = offset(this.tensor.shape, this.place(row, column));
    return !sameBits(before.data[at], this.tensor.data[at]);
  }

  sizeOfLargest() {
    let largest = 0;
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < this.columns; column++) {
        const size = Math.abs(this.value(row, column));
        if (Number.isFinite(size) && size > largest) largest = size;
      }
    }
    return largest || 1;
  }

  /** What a place of an axis is called. */
  label(axis, place) {
    if (axis === null) return "";
    const label = this.words.label(this.run, this.tensor.axes[axis], place);
    return label === null || label === undefined ? String(place) : quoted(label);
  }

  elements() {
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.space = h("div", { class: "space", "aria-hidden": "true" });
    this.cell = h("span", { role: "gridcell", id: `cell-${++Grid.count}` });
    this.row = h("div", { role: "row", class: "unseen" }, this.cell);
    this.box = h(
      "div",
      {
        class: "grid",
        tabindex: "0",
        role: "grid",
        "aria-label": this.name,
        "aria-rowcount": this.rows,
        "aria-colcount": this.columns,
        "aria-activedescendant": this.cell.id,
        onkeydown: (event) => this.onKey(event),
        onscroll: () => this.draw(),
        onclick: (event) => this.onClick(event),
        ondblclick: () => this.open(),
      },
      this.canvas,
      this.space,
      this.row,
    );
    this.space.style.setProperty("width", `${this.margin + this.columns * this.width}px`);
    this.space.style.setProperty("height", `${this.height * (this.rows + 1)}px`);
    this.box.style.setProperty("height", `${Math.min(this.height * (this.rows + 1) + 20, 460 * this.scale)}px`);
    this.readout = h("p", { class: "readout", "aria-live": "polite" });
    this.part = h("p", { class: "quiet on-paper" });
    new ResizeObserver(() => this.draw()).observe(this.box);
    REDRAW.set(this.canvas, (pen) => this.paint(pen));
    this.say();
    return [this.box, h("div", {}, this.readout, this.part)];
  }

  onKey(event) {
    const steps = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      PageUp: [-10, 0],
      PageDown: [10, 0],
    };
    if (event.key === "Enter") return this.open();
    const step =
      steps[event.key] ?? (event.key === "Home" ? [0, -this.columns] : event.key === "End" ? [0, this.columns] : null);
    if (step === null) return;
    event.preventDefault();
    this.choose(this.chosen.row + step[0], this.chosen.column + step[1]);
  }

  onClick(event) {
    const box = this.box.getBoundingClientRect();
    const x = event.clientX - box.left + this.box.scrollLeft - this.margin;
    const y = event.clientY - box.top + this.box.scrollTop - this.height;
    if (x >= 0 && y >= 0) this.choose(Math.floor(y / this.height), Math.floor(x / this.width));
  }

  choose(row, column) {
    this.chosen = {
      row: Math.max(0, Math.min(this.rows - 1, row)),
      column: Math.max(0, Math.min(this.columns - 1, column)),
    };
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.box;
    const [left, top] = [this.chosen.column * this.width, this.chosen.row * this.height];
    this.box.scrollLeft = Math.min(Math.max(scrollLeft, left + this.width + this.margin - clientWidth), left);
    this.box.scrollTop = Math.min(Math.max(scrollTop, top + 2 * this.height - clientHeight), top);
    this.say();
    this.draw();
  }

  /** The address of the chosen cell. */
  get address() {
    return addressOf(this.name, this.tensor.axes, this.place(this.chosen.row, this.chosen.column));
  }

  open() {
    location.hash = hashOf(this.address);
  }

  say() {
    const { row, column } = this.chosen;
    const value = exactOf(this.tensor.data, this.value(row, column));
    this.row.setAttribute("aria-rowindex", row + 1);
    this.cell.setAttribute("aria-colindex", column + 1);
    const meaning = this.words.sentence(this.run, this.name, this.place(row, column));
    this.cell.textContent = `${this.address} = ${value}: ${meaning}`;
    const mark = this.changed(row, column) ? ` ${_("(changed)")}` : "";
    this.readout.replaceChildren(link(this.address, this.address), ` = ${value}${mark}: ${meaning}`);
  }

  draw() {
    const { clientWidth: wide, clientHeight: high } = this.box;
    const sharp = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [wide * sharp, high * sharp];
    this.canvas.style.setProperty("width", `${wide}px`);
    this.canvas.style.setProperty("height", `${high}px`);
    const pen = this.canvas.getContext("2d");
    pen.scale(sharp, sharp);
    this.paint(pen);
    this.sayPart();
  }

  /** What paper says of a grid of which only a part is in sight. */
  sayPart() {
    const { clientWidth: wide, clientHeight: high, scrollLeft: left, scrollTop: top } = this.box;
    const said = (text, begin, room, size, all) => {
      const [first, after] = [Math.floor(begin / size), Math.min(all, Math.ceil((begin + room) / size))];
      return after - first < all ? _(text, { first: counted(first), last: counted(after - 1), all: counted(all) }) : "";
    };
    const rows = said(N_("On paper: rows {first} to {last} of {all}."), top, high - this.height, this.height, this.rows);
    const columns = said(
      N_("On paper: columns {first} to {last} of {all}."),
      left,
      wide - this.margin,
      this.width,
      this.columns,
    );
    this.part.textContent = [rows, columns].join(" ");
  }

  /** Draws what is in sight. */
  paint(pen) {
    const { clientWidth: wide, clientHeight: high, scrollLeft: left, scrollTop: top } = this.box;
    pen.font = `${12 * this.scale}px system-ui, sans-serif`;
    pen.textBaseline = "middle";
    this.ink = getComputedStyle(this.box).color;
    const rows = [Math.floor(top / this.height), Math.min(this.rows, Math.ceil((top + high) / this.height))];
    const columns = [Math.floor(left / this.width), Math.min(this.columns, Math.ceil((left + wide) / this.width))];
    for (let row = rows[0]; row < rows[1]; row++) {
      for (let column = columns[0]; column < columns[1]; column++) {
        this.drawCell(pen, row, column, this.margin + column * this.width - left, this.height + row * this.height - top);
      }
    }
    this.drawMargins(pen, rows, columns, { left, top, wide, high });
  }

  drawCell(pen, row, column, x, y) {
    const value = this.value(row, column);
    const [width, height] = [this.width - 1, this.height - 1];
    const strength = Number.isFinite(value) ? Math.abs(value) / this.largest : 0;
    pen.fillStyle = value < 0 ? `rgb(40 110 200 / ${strength * 0.85})` : `rgb(215 110 20 / ${strength * 0.85})`;
    pen.fillRect(x, y, width, height);
    pen.strokeStyle = this.ink;
    if (this.changed(row, column)) {
      pen.fillStyle = this.ink;
      pen.fillRect(x, y, 5, 5);
    }
    if (row === this.chosen.row && column === this.chosen.column) {
      pen.lineWidth = 2;
      pen.strokeRect(x + 1, y + 1, width - 2, height - 2);
    }
    if (this.columns > FEW) return;
    pen.fillStyle = this.ink;
    pen.textAlign = "right";
    pen.fillText(rounded(value, 3), x + width - 4, y + height / 2, width - 6);
  }

  /** What rows and columns are called, over whatever has scrolled beneath. */
  drawMargins(pen, rows, columns, { left, top, wide, high }) {
    pen.fillStyle = getComputedStyle(document.body).backgroundColor;
    pen.fillRect(0, 0, wide, this.height);
    pen.fillRect(0, 0, this.margin, high);
    pen.fillStyle = this.ink;
    pen.textAlign = "right";
    for (let row = rows[0]; row < rows[1]; row++) {
      const y = this.height * (row + 1.5) - top;
      if (y > this.height) pen.fillText(this.label(this.rowAxis, row).slice(0, 14), this.margin - 6, y, this.margin - 8);
    }
    pen.textAlign = "center";
    const every = Math.ceil((30 * this.scale) / this.width);
    for (let column = columns[0]; column < columns[1]; column++) {
      const x = this.margin + (column + 0.5) * this.width - left;
      if (x > this.margin && column % every === 0)
        pen.fillText(this.label(this.columnAxis, column).slice(0, 9), x, this.height / 2, this.width * every);
    }
  }
}

Grid.count = 0;
