// The calls to providers that a job made, with what they cost.

import { el } from "../dom.js";
import { between, count, money, seconds, time, words } from "../format.js";
import { empty } from "../states.js";

const KINDS = { completed: "good", failed: "bad", started: "live" };
const COLUMNS = ["Call", "Attempt", "Outcome", "Provider and model", "Took", "Tokens", "Cost"];

export function callTable(calls) {
  if (!calls.length) return empty("No call to a provider", "The job waits, or found its answer without one.");
  const head = COLUMNS.map((name, index) => el("th", { scope: "col", class: index > 3 ? "number" : null }, name));
  return el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { class: "cards" },
      el("caption", { class: "unseen" }, "Calls to providers"),
      el("thead", {}, el("tr", {}, head)),
      el("tbody", {}, calls.map(row)),
    ),
  );
}

function row(call) {
  return el(
    "tr",
    {},
    el("th", { scope: "row", class: "nowrap" }, time(call.started_at)),
    el("td", { "data-name": "attempt" }, call.attempt),
    el(
      "td",
      {},
      el("span", { class: `badge ${KINDS[call.outcome] ?? ""}` }, words(call.outcome)),
      call.error_code ? el("span", { class: "small muted" }, ` ${call.error_code}`) : null,
    ),
    el("td", { class: "wide" }, `${call.provider} ${call.model}`),
    el("td", { class: "number nowrap", "data-name": "took" }, seconds(between(call.started_at, call.ended_at))),
    el("td", { class: "number", "data-name": "tokens" }, count(call.usage.total_tokens)),
    el("td", { class: "number", "data-name": "cost" }, money(call.cost_usd)),
  );
}
