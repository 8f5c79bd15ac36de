// Turns texts into tokens.

export async function answer(page, { tokenizer, texts }) {
  const { Tokenizer } = await page("tokenizer.js");
  const words = new Tokenizer(tokenizer);
  return texts.map((text) =>
    words.explain(text).map(({ text: piece, merges, ids, symbols }) => ({
      piece,
      symbols,
      merges: merges.map(({ rank, left, right, where }) => [rank, left, right, where]),
      ids,
    })),
  );
}
