// What the page replies to answers of an exercise.

export async function answer(page, { asked, typed, language = ["en", { en: {} }] }) {
  const { replyTo } = await page("views/lesson.js");
  const { speak } = await page("words.js");
  speak(...language);
  return typed.map((each) => replyTo(asked, each));
}
