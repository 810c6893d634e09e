// A conversation by chat completions, streamed: each piece is shown as it comes.

import { problemOf, read, send } from "../api.js";
import { el, fill, one, say } from "../dom.js";
import { count, milliseconds, money, visible } from "../format.js";
import { sentenceOf } from "../states.js";
import { events } from "./events.js";
import { kindOf, Steps } from "./steps.js";

const PATH = "/v1/chat/completions";
const talk = one("#talk");
const said = one("#chunks-said");
const field = one("#message");
const stop = one("#stop");
const again = one("#again");
const sendButton = one("#send-message");

let turns = [];
let streaming = null;

/** `models`: as /v1/models lists them, with those of embeddings, which no chat may name. */
export function offer(models) {
  const chatting = models.filter((each) => each.x_askonce.task_type === "chat_completion");
  fill(
    one("#chat-model"),
    chatting.map((each) => el("option", {}, each.id)),
  );
}

/** The body that the next message would have. */
export function body(
  messages = [...turns, { role: "user", content: field.value.trim() || "What is the capital of Portugal?" }],
) {
  const system = one("#system").value.trim();
  return {
    model: one("#chat-model").value,
    messages: [...(system ? [{ role: "system", content: system }] : []), ...messages],
    stream: true,
    stream_options: { include_usage: true },
  };
}

function bubble(role, text) {
  const content = el("p", { dir: "auto" }, text);
  talk.append(
    el(
      "div",
      { class: `turn ${role}` },
      el("span", { class: "small muted" }, role === "user" ? "You" : "Answer"),
      content,
    ),
  );
  talk.scrollTop = talk.scrollHeight;
  return content;
}

async function ask(messages) {
  streaming = new AbortController();
  sendButton.disabled = again.disabled = true;
  stop.disabled = false;
  say(one("#say-wrong"), "");
  const place = bubble("assistant", "");
  try {
    const text = await hear(messages, place, streaming.signal);
    if (text) turns = [...messages, { role: "assistant", content: text }];
  } catch (error) {
    if (error.name === "AbortError") say(said, "stopped; its job goes on, and its answer will be kept");
    else say(one("#say-wrong"), sentenceOf(error));
    if (!place.textContent) place.parentNode.remove();
  }
  sendButton.disabled = again.disabled = false;
  stop.disabled = true;
  streaming = null;
}

/** Send a conversation and show its answer piece by piece; return the whole of it. */
async function hear(messages, place, signal) {
  const step = new Steps(one("#chunks")).begin(`POST ${PATH}`);
  const began = performance.now();
  say(said, "waiting");
  const response = await send(PATH, {
    method: "POST",
    signal,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body(messages)),
  });
  if (!response.ok) {
    const document = await read(response);
    step.end(`${response.status}`, kindOf(response.status), { headers: response.headers, document, open: true });
    throw problemOf(response.status, document);
  }
  let chunks = 0;
  let first = null;
  let last = null;
  let text = "";
  for await (const data of events(response)) {
    if (data === "[DONE]") break;
    const chunk = JSON.parse(data);
    if (chunk.error) throw problemOf(502, chunk);
    first ??= performance.now() - began;
    last = chunk;
    chunks += 1;
    const piece = chunk.choices?.[0]?.delta?.content;
    if (piece) {
      text += piece;
      place.append(visible(piece));
    }
    talk.scrollTop = talk.scrollHeight;
    step.note(`${chunks} chunks`);
  }
  const ours = last?.x_askonce;
  const hit = ours?.tier ? `a hit in ${ours.tier}` : "streamed from the provider";
  const saved = ours?.saved ? `; saved ${money(ours.saved.cost_usd)} and ${count(ours.saved.total_tokens)} tokens` : "";
  step.end("200 stream", "good", {
    headers: response.headers,
    document: last ?? undefined,
    note: `${chunks} chunks, the first after ${milliseconds(first)}: ${hit}${saved}.`,
  });
  say(said, hit);
  return text;
}

one("#say").addEventListener("submit", (event) => {
  event.preventDefault();
  const content = field.value.trim();
  if (!content) {
    say(one("#say-wrong"), "Write a message first.");
    field.focus();
    return;
  }
  bubble("user", content);
  field.value = "";
  ask([...turns, { role: "user", content }]);
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!streaming) one("#say").requestSubmit();
  }
});
stop.addEventListener("click", () => streaming?.abort());
again.addEventListener("click", () => {
  const messages = turns.slice(0, -1);
  if (!messages.length) return;
  bubble("user", messages.at(-1).content);
  ask(messages);
});
one("#new-talk").addEventListener("click", () => {
  streaming?.abort();
  turns = [];
  fill(talk);
  again.disabled = true;
  field.focus();
});
