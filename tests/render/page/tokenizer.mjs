// Turns texts into tokens.

export async function answer(page, { tokenizer, texts, refused }) {
  const { tokenizerFrom } = await page("tokenizer.js");
  const words = tokenizerFrom(tokenizer);
  if (refused) return texts.map((text) => Boolean(words.loses?.(text)) || words.encode(text).includes(undefined));
  return texts.map((text) =>
    words.explain(text).map(({ text: piece, merges, partings, ids, symbols }) => ({
      piece,
      symbols,
      merges: merges.map(({ rank, left, right, where }) => [rank, left, right, where]),
      ids,
      ...(partings && { partings: partings.map(({ parts, scores }) => [parts, scores]) }),
    })),
  );
}
