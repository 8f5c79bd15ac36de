// What the page replies to answers of an exercise.

export async function answer(page, { asked, typed }) {
  const { replyTo } = await page("views/lesson.js");
  return typed.map((each) => replyTo(asked, each));
}
