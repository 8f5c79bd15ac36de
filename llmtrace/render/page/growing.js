// A text that has grown by some tokens: of every step, the rows of the earlier tokens stay as they were, since nothing looks
// ahead. Only the new rows are computed; keys and values of the earlier tokens are those of the run before (the KV cache).

import { blocks, sizeOf } from "./tensors.js";

/** The axis along which a text grows. */
const growing = (axes) => axes.findIndex((axis) => axis === "position" || axis === "query");

/** What an op makes of operands that have grown; `past` is what it made before. */
export function moreOf(op, given, settings, past) {
  const before = past.shape[growing(past.axes)];
  const operands = { ...given };
  for (const kind of op.inputs) if (!op.whole?.includes(kind)) operands[kind] = laterRows(given[kind], before);
  return joined(past, op.forward(operands, settings), op.unseen);
}

/** A tensor without its first rows. */
function laterRows(tensor, before) {
  const axis = growing(tensor.axes);
  const { count, leading, last } = blocks(tensor, tensor.shape.length - axis);
  const [rows, ...inner] = last;
  const size = sizeOf(inner);
  const kept = rows - before;
  const data = new tensor.data.constructor(count * kept * size);
  for (let i = 0; i < count; i++) {
    data.set(tensor.data.subarray((i * rows + before) * size, (i + 1) * rows * size), i * kept * size);
  }
  return { ...tensor, data, shape: [...leading, kept, ...inner] };
}

/** The rows made before, then the new ones. Where these are longer, because they see more keys, the earlier ones end in what
 *  the op writes for keys that are not seen. */
function joined(past, made, unseen = 0) {
  const axis = growing(past.axes);
  const { count, leading, last } = blocks(made, made.shape.length - axis);
  const [more, width = 1] = last;
  const [before, known = 1] = past.shape.slice(axis);
  const data = new made.data.constructor(count * (before + more) * width).fill(unseen);
  for (let i = 0; i < count; i++) {
    const start = i * (before + more) * width;
    for (let row = i * before; row < (i + 1) * before; row++) {
      data.set(past.data.subarray(row * known, (row + 1) * known), start + (row - i * before) * width);
    }
    data.set(made.data.subarray(i * more * width, (i + 1) * more * width), start + before * width);
  }
  return { data, shape: [...leading, before + more, ...last.slice(1)] };
}
