// The numbers in the page: one <script type="application/octet-stream"> for each tensor, decoded when it is first needed.
// Their bytes are shuffled (all first bytes, then all second ones, …), deflated, and written in base64.

import { sha256 } from "./sha256.js";

/** The numbers of a tensor from its text; an Error names one that is damaged. */
export async function decoded(text, { name, shape, axes, digest, kind }) {
  let bytes;
  try {
    bytes = unshuffled(await inflated(bytesOf(atob(text.trim()))));
  } catch {
    throw new DamagedError(name);
  }
  if (sha256(bytes) !== digest) throw new DamagedError(name);
  return { name, data: new (kind === "i4" ? Int32Array : Float32Array)(bytes.buffer), shape, axes };
}

/** A text that is deflated in an element whose id ends in the beginning of its checksum. */
export async function inflatedText(text, id) {
  let bytes;
  try {
    bytes = await inflated(bytesOf(atob(text.trim())));
  } catch {
    throw new DamagedError(id);
  }
  if (!sha256(bytes).startsWith(id.slice(2))) throw new DamagedError(id);
  return new TextDecoder().decode(bytes);
}

/** A tensor of the page whose bytes are not those that were written. */
export class DamagedError extends Error {
  constructor(name) {
    super(name);
    this.tensor = name;
  }
}

function bytesOf(letters) {
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Bytes of float32 in their order again. */
function unshuffled(bytes) {
  const count = bytes.length / 4;
  const whole = new Uint8Array(bytes.length);
  for (let byte = 0; byte < 4; byte++) {
    for (let i = 0; i < count; i++) whole[4 * i + byte] = bytes[byte * count + i];
  }
  return whole;
}
