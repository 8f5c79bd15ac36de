// Cosines and sines of the angles of positions.

import { pack, unpack } from "./packing.mjs";

export async function answer(page, cases) {
  const { turns } = await page("turns.js");
  return cases.map(({ positions, pairs, base }) =>
    turns(unpack(positions).data, pairs, base).map((data) => pack({ data, shape: [data.length] })),
  );
}
