// Does elementary operations, whose operands are numbers or rows of numbers in base64.

import { pack, unpack } from "./packing.mjs";

export async function answer(page, cases) {
  const { OPERATIONS } = await page("derivation.js");
  const names = Object.keys(OPERATIONS);
  const results = cases.map(({ operation, operands }) => {
    const given = operands.map((each) => {
      const { data, shape } = unpack(each);
      return shape.length ? data : data[0];
    });
    const made = OPERATIONS[operation].compute(...given);
    return pack(made.length === undefined ? { data: Float32Array.of(made), shape: [] } : { data: made, shape: [made.length] });
  });
  return { names, results };
}
