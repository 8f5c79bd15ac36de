// Elements of the page. Every text becomes a text node: nothing in it can be markup.

import { _ } from "./words.js";

/** An element: h("a", { href: "#" }, "text", otherElement). A handler is given as `onclick`. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const WHERE = { prefix: "" };

/** From now on, links and addresses are those of one of several traces: places begin with its name. */
export const within = (prefix) => (WHERE.prefix = prefix);

/** What stands in the address bar for an address of the trace that is looked at. */
export const hashOf = (place) => encodeURIComponent(WHERE.prefix + place);

/** A link to a place of the page: an address, or the name of a view. */
export const link = (place, ...text) => h("a", { href: `#${hashOf(place)}` }, ...text);

/** A table: headings, and rows of cells. `numeric` are the columns whose numbers stand under each other. */
export function table(caption, headings, rows, numeric = []) {
  const cell = (tag) => (content, i) => {
    const kind = content === "" ? "td" : tag; // a column of pictures has no heading
    const shown = kind === "th" ? breakable(content) : content;
    return h(kind, { class: numeric.includes(i) ? "n" : null, scope: kind === "th" ? "col" : null }, shown);
  };
  const made = h(
    "table",
    {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, headings.map(cell("th")))),
    h(
      "tbody",
      {},
      rows.map((row) => h("tr", {}, row.map(cell("td")))),
    ),
  );
  const title = _("{name} as a CSV file", { name: caption });
  const take = () => offer(`${caption.replace(/[^\p{L}\p{N}.-]+/gu, "_")}.csv`, "text/csv", csvOf(made));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    made,
    h("p", { class: "take" }, h("button", { "aria-label": title, title, onclick: take }, "CSV")),
  );
}

/** A text that may be broken after its dots: the name of a tensor above a narrow column. */
const breakable = (text) => text.split(/(?<=\.)/).flatMap((part, i) => (i ? [h("wbr"), part] : [part]));

/** The cells of a table, as programs for tables read them: none of them can begin a formula. */
export function csvOf(made) {
  const written = (shown) => {
    const text = /^−?[\d.]+(e−?\d+)?$/.test(shown) ? shown.replaceAll("−", "-") : shown; // a number to every program
    const inert = /^[=+@\t\r-]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\n\r]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
  };
  const rows = [...made.rows].map((row) => [...row.cells].map((each) => written(each.textContent.trim())).join(","));
  return `\ufeff${rows.join("\r\n")}\r\n`;
}

/** A bar as long as a share of 1, for the eye only. */
export function bar(share) {
  const element = h("span", { class: "bar", "aria-hidden": "true" });
  element.style.setProperty("width", `calc(${Math.max(0, Math.min(1, share || 0))} * var(--bar))`);
  return element;
}

/** Gives a text to keep as a file. */
export function offer(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
