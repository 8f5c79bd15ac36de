// One token at a time: chosen as `llmtrace generate` chooses, each step of the choice a link.

import { h } from "../dom.js";
import { candidatesTable } from "../likeliest.js";
import { _, quoted } from "../words.js";
import { stepsTable } from "./block.js";

const SETTINGS = { temperature: "1", topK: "", topP: "", seed: "0" };

export function nextView(app, refresh) {
  app.sampling ??= { ...SETTINGS };
  const problem = h("p", { class: "wrong", role: "alert" });
  const step = async () => {
    const settings = settingsFrom(app.sampling);
    if (typeof settings === "string") problem.textContent = settings;
    else if (!(await app.goOn(settings))) problem.textContent = _("The model can read no longer text.");
    else refresh("step");
  };
  const back = async () => {
    if (await app.goBack()) refresh("back");
  };
  const last = app.ids.length - 1;
  return [
    h("h1", {}, _("One token at a time")),
    h(
      "p",
      { class: "story" },
      app.ids
        .slice(0, app.ids.length - app.choices.length)
        .map((_unused, i) => app.tokenText(i))
        .join(app.manifest.between),
      newTokens(app),
    ),
    h(
      "p",
      {},
      h("button", { id: "step", onclick: step, accesskey: "n" }, _("one token more")),
      " ",
      h("button", { id: "back", onclick: back, disabled: !app.choices.length }, _("one token back")),
    ),
    problem,
    settingsForm(app),
    lastChoice(app),
    candidatesTable(app, app.run, last, 10, _("What may come next")),
    h(
      "p",
      { class: "quiet" },
      _(
        "The scores are divided by the temperature: below 1 less is left to chance, 0 takes the likeliest. top-k: only the k likeliest tokens may come; top-p: only the likeliest that together reach p. The seed says which random numbers are drawn.",
      ),
    ),
  ];
}

const newTokens = (app) => app.choices.flatMap(({ token }) => [app.manifest.between, h("mark", {}, app.manifest.vocabulary[token])]);

/** The steps of the last choice, which stand in the run that it was made in. */
function lastChoice(app) {
  const made = app.choices.at(-1);
  if (made === undefined) return null;
  const token = quoted(app.manifest.vocabulary[made.token]);
  const steps = [...app.run.steps.keys()].filter((name) => name.startsWith(`choice.${app.choices.length - 1}.`));
  return [h("p", {}, _("Chosen: {token}", { token })), stepsTable(app, steps)];
}

function settingsForm(app) {
  const names = { temperature: _("temperature"), topK: "top-k", topP: "top-p", seed: _("seed") };
  const fields = Object.entries(names).map(([name, label]) => {
    const field = h("input", { type: "text", inputmode: "decimal", size: "6", value: app.sampling[name] });
    field.addEventListener("input", () => (app.sampling[name] = field.value));
    return [h("label", {}, `${label} `, field), " "];
  });
  return h("form", { onsubmit: (event) => event.preventDefault() }, fields);
}

const WHOLE_NUMBER = /^-?\d+$/;
const LEAST = 1.1754943508222875e-38; // the least normal float32

/** The settings as numbers; or, in words, which is wrong. */
export function settingsFrom({ temperature, topK, topP, seed }) {
  const heat = Number(temperature);
  if (temperature.trim() === "" || !(heat === 0 || (heat >= LEAST && heat < Infinity)))
    return _("The temperature must be 0 or above.");
  if (topK !== "" && !(WHOLE_NUMBER.test(topK) && Number(topK) >= 1))
    return _("top-k must be a whole number from 1 on.");
  if (topP !== "" && !(Number(topP) >= LEAST && Number(topP) <= 1)) return _("top-p must be above 0 and at most 1.");
  if (!WHOLE_NUMBER.test(seed)) return _("The seed must be a whole number.");
  return {
    temperature: heat,
    topK: topK === "" ? null : Number(topK),
    topP: topP === "" ? null : Number(topP),
    seed: BigInt(seed),
  };
}
