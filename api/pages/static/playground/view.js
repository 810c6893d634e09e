// Try it: every task type, and chat as a stream. Shows each call as it is made, and the same as code.

import { get } from "../api.js";
import { all, fill, code, el, one } from "../dom.js";
import { Poll } from "../poll.js";
import { Alert } from "../states.js";
import * as chat from "./chat.js";
import { Form } from "./form.js";
import { run } from "./run.js";
import { chatSnippet, taskSnippet } from "./snippets.js";

const alert = new Alert(one("#playground-alert"));
const form = new Form(() => drawSnippet());
let loaded = false;
let running = null;

const way = () => one("input[name=way]:checked").value;
const language = () => one("input[name=language]:checked").value;

const loading = new Poll(
  async (signal) => {
    const { tasks } = await get("/api/v1/tasks", { signal });
    const models = await get("/v1/models", { signal });
    form.offer(tasks);
    chat.offer(models.data);
    loaded = true;
    alert.clear();
    loading.stop();
    drawSnippet();
  },
  5,
  (error) => alert.show(error, () => loading.start()),
);

function drawSnippet() {
  if (!loaded) return;
  const text = way() === "stream" ? chatSnippet(language(), chat.body()) : taskSnippet(language(), form.wanted());
  fill(one("#snippet"), code(text, `the ${language()} example`));
}

function choose() {
  one("#tasks").hidden = way() !== "tasks";
  one("#stream").hidden = way() !== "stream";
  drawSnippet();
}

async function ask(event) {
  event.preventDefault();
  if (!form.check()) return;
  running?.abort();
  const mine = (running = new AbortController());
  one("#send").disabled = true;
  try {
    await run(form.wanted(), mine.signal, (problem) => form.showProblem(problem));
  } finally {
    if (running === mine) one("#send").disabled = false;
  }
}

one("#ask").addEventListener("submit", ask);
for (const choice of all("input[name=way]")) choice.addEventListener("change", choose);
for (const choice of all("input[name=language]")) choice.addEventListener("change", drawSnippet);
one("#stream").addEventListener("input", drawSnippet);
fill(
  one("#steps"),
  el(
    "li",
    { class: "waiting muted" },
    "Ask something: each call appears here with its status, its headers and the time it took.",
  ),
);

export function show() {
  if (!loaded) loading.start();
}

export function hide() {
  loading.stop();
  running?.abort();
  one("#send").disabled = false;
}
