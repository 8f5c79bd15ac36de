// A tensor is { data, shape, axes }: numbers in C order, one size and one name for each axis.
// Reals are a Float32Array; token ids and places are an Int32Array.

export const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

/** A new tensor of reals, all +0. */
export const zeros = (shape) => ({ data: new Float32Array(sizeOf(shape)), shape });

/** All axes but the last `kept` as one: how many blocks there are, and the sizes of a block. */
export function blocks(tensor, kept) {
  const last = tensor.shape.slice(tensor.shape.length - kept);
  const leading = tensor.shape.slice(0, tensor.shape.length - kept);
  return { count: sizeOf(leading), leading, last };
}

/** Where the number of an index stands in the data. */
export function offset(shape, index) {
  let place = 0;
  for (let axis = 0; axis < shape.length; axis++) place = place * shape[axis] + index[axis];
  return place;
}

/** The index of the number that stands at a place in the data. */
export function indexOf(shape, place) {
  const index = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = place % shape[axis];
    place = Math.floor(place / shape[axis]);
  }
  return index;
}

/** The length of a row (its norm), rounded for reading. */
export const lengthOf = (row) => Math.sqrt(row.reduce((total, x) => total + x * x, 0));

export const range = (count) => Array.from({ length: count }, (_unused, i) => i);
