// What the page replies to answers of exercises.

export async function answer(page, { languages = { en: {} }, cases }) {
  const { replyTo } = await page("views/lesson.js");
  const { speak } = await page("words.js");
  return cases.map(({ asked, typed, language = "en" }) => {
    speak(language, languages);
    return typed.map((each) => replyTo(asked, each));
  });
}
