// Where the numbers of a stored run come from: from elements of the page, or from the server that has made the page.

import { decoded } from "./data.js";

/** Tensors packed in elements whose id is that of the run, a colon, and the name. */
export class PackedSource {
  constructor(textOf) {
    this.textOf = textOf;
  }

  async tensor(record, entry) {
    return (await decoded(this.textOf(this.idOf(record, entry)), entry)).data;
  }

  idOf(record, entry) {
    return `${record.id}:${entry.name}`;
  }
}

const PIECE = 4_000_000; // numbers of one answer

/** `llmtrace serve` on this machine, asked by paths below the page's own. */
export class ServedSource {
  async tensor(record, { name, shape, kind }) {
    const count = shape.reduce((product, length) => product * length, 1);
    const data = new (kind === "i4" ? Int32Array : Float32Array)(count);
    const bytes = new Uint8Array(data.buffer);
    for (let start = 0; start < count; start += PIECE) {
      const asked = new URLSearchParams({ run: record.id, name, start, count: Math.min(PIECE, count - start) });
      bytes.set(new Uint8Array(await (await answered(`tensor?${asked}`)).arrayBuffer()), 4 * start);
    }
    return data;
  }

  async explanation(record, address) {
    const asked = new URLSearchParams({ run: record.id, address });
    return (await answered(`explanation?${asked}`)).json();
  }

  async run(asked) {
    const body = JSON.stringify(asked);
    return (await answered("run", { method: "POST", headers: { "Content-Type": "application/json" }, body })).json();
  }
}

/** What the server answers; an Error says in its words why it does not. */
async function answered(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) throw new ServerError(await response.text());
  return response;
}

/** What the server has refused, in words. */
export class ServerError extends Error {}
