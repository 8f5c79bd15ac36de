// Addresses: a name and an index by place, by axis, or by token, such as block.0.attn.scores[head=2, query=4, key=1]
// or logits[-1, " mat"].

import { _ } from "./words.js";

/** What can't be read, or is not there; its message is for the reader. */
export class AddressError extends Error {}

const ENTRY = /\s*(?:([A-Za-z_]\w*)\s*=\s*)?(?:([+-]?\d+)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))\s*(,|$)/y;

/** An address → { name, places, byAxis }; entries are whole numbers or texts of tokens. */
export function parseAddress(address) {
  const [, name, inside] = /^([^[]*)(?:\[([^]*)\])?$/.exec(address.trim()) ?? [];
  if (name === undefined) {
    throw new AddressError(_("the address {address!r} has no closing bracket", { address }));
  }
  const places = [];
  const byAxis = new Map();
  for (let start = 0; start < (inside ?? "").length;) {
    ENTRY.lastIndex = start;
    const entry = ENTRY.exec(inside);
    if (entry === null || (!entry[1] && byAxis.size) || byAxis.has(entry[1])) {
      throw new AddressError(_("the index {text!r} can't be read", { text: inside }));
    }
    const value = entry[2] === undefined ? unquotedToken(entry[3]) : Number(entry[2]);
    if (entry[1]) byAxis.set(entry[1], value);
    else places.push(value);
    start = ENTRY.lastIndex;
  }
  return { name: name.trim(), places, byAxis };
}

function unquotedToken(text) {
  let inside = text.slice(1, -1);
  if (text[0] === "'") inside = inside.replaceAll("\\'", "'").replaceAll('"', '\\"');
  try {
    return JSON.parse(`"${inside}"`);
  } catch {
    throw new AddressError(_("the token {text} can't be read", { text }));
  }
}

/** The index that an address means: a whole number from 0 for each axis, null for an axis that it leaves open. */
export function resolveIndex({ name, places, byAxis }, { axes, shape }, labelOf) {
  if (places.length > axes.length) {
    throw new AddressError(_("{name} has {count} axes ({axes})", { name, count: axes.length, axes: axes.join(", ") }));
  }
  const given = new Map(axes.slice(0, places.length).map((axis, i) => [axis, places[i]]));
  for (const [axis, entry] of byAxis) {
    if (!axes.includes(axis) || given.has(axis)) {
      throw new AddressError(
        _("{name} has {count} axes ({axes})", { name, count: axes.length, axes: axes.join(", ") }),
      );
    }
    given.set(axis, entry);
  }
  return axes.map((axis, i) => (given.has(axis) ? placeOn(name, axis, shape[i], given.get(axis), labelOf) : null));
}

function placeOn(name, axis, size, entry, labelOf) {
  if (typeof entry === "string") {
    const found = [];
    for (let i = 0; i < size; i++) if (labelOf(axis, i) === entry) found.push(i);
    if (found.length === 1) return found[0];
    throw new AddressError(
      found.length
        ? _("{entry!r} stands at several places of {axis}: {places}", { entry, axis, places: found.join(", ") })
        : _("there is no {entry!r} along the axis {axis!r} of {name}", { entry, axis, name }),
    );
  }
  if (entry < -size || entry >= size) {
    throw new AddressError(_("{axis}={entry} is outside {name}: 0 to {last}", { axis, entry, name, last: size - 1 }));
  }
  return entry < 0 ? entry + size : entry;
}

/** An address, by axis: `block.0.attn.q[head=2, position=4, feature=1]`; an axis that is left open does not stand in it. */
export function addressOf(name, axes, index) {
  const parts = axes.map((axis, i) => [axis, index[i]]).filter(([, entry]) => entry !== null && entry !== undefined);
  return parts.length ? `${name}[${parts.map(([axis, entry]) => `${axis}=${entry}`).join(", ")}]` : name;
}
