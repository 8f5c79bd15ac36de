// A view as a picture: what stands in the window as words and rectangles, which become SVG, or are drawn and become PNG.

import { h } from "./dom.js";

const NOT_DRAWN = "form, button, input, select, textarea, datalist, .unseen, .take, [hidden]";

/** How canvases are drawn again with another pen: canvas → (pen) => …. */
export const REDRAW = new WeakMap();

/** What can be drawn: { width, height, paper, shapes }. A shape is a rectangle, an outline, or words. */
export function drawingOf(root) {
  const frame = root.getBoundingClientRect();
  const pen = new Recorder(-frame.left, -frame.top);
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) =>
    node instanceof Element && node.matches(NOT_DRAWN) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
  );
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node instanceof Element) drawBox(pen, node);
    else drawWords(pen, node);
  }
  const paper = getComputedStyle(document.body).backgroundColor;
  return { width: Math.ceil(frame.width), height: Math.ceil(frame.height), paper, shapes: pen.shapes };
}

/** A pen of a canvas that remembers what it does. */
class Recorder {
  constructor(left, top) {
    Object.assign(this, { left, top, shapes: [], font: "", fillStyle: "", strokeStyle: "", textAlign: "left", lineWidth: 1 });
    this.textBaseline = "alphabetic";
  }

  fillRect(x, y, width, height) {
    this.shapes.push({ kind: "rect", x: x + this.left, y: y + this.top, width, height, fill: this.fillStyle });
  }

  strokeRect(x, y, width, height) {
    const { strokeStyle: stroke, lineWidth: line } = this;
    this.shapes.push({ kind: "outline", x: x + this.left, y: y + this.top, width, height, stroke, line });
  }

  fillText(text, x, y) {
    const { font, fillStyle: fill, textAlign: align, textBaseline: base } = this;
    this.shapes.push({ kind: "words", text, x: x + this.left, y: y + this.top, font, fill, align, base });
  }

  scale() {}
}

function drawBox(pen, element) {
  const box = element.getBoundingClientRect();
  if (element instanceof HTMLCanvasElement) {
    const inner = new Recorder(pen.left + box.left, pen.top + box.top);
    REDRAW.get(element)?.(inner);
    pen.shapes.push(...inner.shapes);
    return;
  }
  const style = getComputedStyle(element);
  if (!/^(transparent|rgba\(.*, 0\))$/.test(style.backgroundColor)) {
    pen.fillStyle = style.backgroundColor;
    pen.fillRect(box.left, box.top, box.width, box.height);
  }
  const line = parseFloat(style.borderBottomWidth);
  if (line > 0) {
    pen.fillStyle = style.borderBottomColor;
    pen.fillRect(box.left, box.bottom - line, box.width, line);
  }
}

const MEASURE = document.createElement("canvas").getContext("2d");

/** The words of a text where they stand. */
function drawWords(pen, node) {
  const style = getComputedStyle(node.parentElement);
  pen.font = MEASURE.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  pen.fillStyle = style.color;
  [pen.textAlign, pen.textBaseline] = ["left", "alphabetic"];
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = MEASURE.measureText("x");
  for (const { 0: word, index } of node.data.matchAll(/\S+/gu)) {
    const range = document.createRange();
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const [box] = range.getClientRects();
    if (box?.width) pen.fillText(word, box.left, box.top + (box.height - up - down) / 2 + up);
  }
}

const ANCHORS = { left: "start", center: "middle", right: "end" };

/** The drawing as SVG, with words that can be searched. */
export function svgOf({ width, height, paper, shapes }) {
  const attributes = (given) =>
    Object.entries(given)
      .map(([name, value]) => ` ${name}="${escaped(typeof value === "number" ? String(Number(value.toFixed(2))) : value)}"`)
      .join("");
  const drawn = shapes.map((shape) => {
    const { x, y } = shape;
    if (shape.kind === "rect") return `<rect${attributes({ x, y, width: shape.width, height: shape.height, fill: shape.fill })}/>`;
    if (shape.kind === "outline") {
      const { width: wide, height: high, stroke, line } = shape;
      return `<rect${attributes({ x, y, width: wide, height: high, fill: "none", stroke, "stroke-width": line })}/>`;
    }
    const base = shape.base === "middle" ? "central" : "auto";
    const look = { fill: shape.fill, style: `font:${shape.font}`, "text-anchor": ANCHORS[shape.align] };
    return `<text${attributes({ x, y, ...look, "dominant-baseline": base })}>${escaped(shape.text)}</text>`;
  });
  const frame = { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` };
  return `<svg${attributes(frame)}>\n<rect width="100%" height="100%"${attributes({ fill: paper })}/>\n${drawn.join("\n")}\n</svg>\n`;
}

const MARKUP = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A text that is only a text in XML, without what XML can't hold. */
const escaped = (text) =>
  text.replace(/[&<>"]/g, (letter) => MARKUP[letter]).replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu, "\ufffd");

const LARGEST = 16_000; // pixels of a side that a canvas can have

/** The drawing as the bytes of a PNG file. */
export function pngOf({ width, height, paper, shapes }) {
  const sharp = Math.min(2, LARGEST / Math.max(width, height));
  const canvas = h("canvas", { width: Math.ceil(width * sharp), height: Math.ceil(height * sharp) });
  const pen = canvas.getContext("2d");
  pen.scale(sharp, sharp);
  pen.fillStyle = paper;
  pen.fillRect(0, 0, width, height);
  for (const { kind, x, y, width: wide, height: high, ...look } of shapes) {
    if (kind === "words") {
      Object.assign(pen, { font: look.font, fillStyle: look.fill, textAlign: look.align, textBaseline: look.base });
      pen.fillText(look.text, x, y);
    } else if (kind === "rect") {
      pen.fillStyle = look.fill;
      pen.fillRect(x, y, wide, high);
    } else {
      Object.assign(pen, { strokeStyle: look.stroke, lineWidth: look.line });
      pen.strokeRect(x, y, wide, high);
    }
  }
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
