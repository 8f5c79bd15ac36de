// Tensors and numbers on their way to and from Python.

const KINDS = { "<f4": Float32Array, "<i4": Int32Array };

export function unpack({ shape, kind, data }) {
  const bytes = new Uint8Array(Buffer.from(data, "base64"));
  return { data: new KINDS[kind](bytes.buffer), shape, axes: shape.map((_unused, i) => `axis${i}`) };
}

export function pack({ data, shape }) {
  const kind = data instanceof Float32Array ? "<f4" : "<i4";
  return { shape, kind, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") };
}

/** A number, or a row, as the explanations of Python write them: what is not finite is text. */
export function plain(values) {
  if (values.length !== undefined) return Array.from(values, plain);
  if (Object.is(values, -0)) return "-0.0";
  return Number.isFinite(values) ? values : String(values).replace("Infinity", "inf").replace("NaN", "nan");
}
