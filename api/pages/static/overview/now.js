// What waits and runs now: queues, providers with their breakers, workers.

import { el, fill, one } from "../dom.js";
import { count, seconds, time } from "../format.js";
import { address } from "../route.js";
import { empty } from "../states.js";
import { isIdle, isLate, isUnheard } from "./attention.js";

const BREAKERS = { closed: "good", open: "bad", due: "warn" };
const AWAY = empty.bind(
  null,
  "Not known while Redis is away",
  "Ask askonce status, or docker compose ps, whether it runs.",
);

export function showNow({ queues, providers, workers }) {
  fill(one("#queues"), queueTable(queues, workers));
  fill(
    one("#providers"),
    providers === null
      ? AWAY()
      : providers.length
        ? providerList(providers)
        : empty(
            "No provider can be asked",
            "Set GROQ_API_KEY or HF_API_KEY in .env, or run the simulator; then start AskOnce again.",
          ),
  );
  fill(
    one("#workers"),
    workers === null
      ? AWAY()
      : workers.length
        ? workerTable(workers)
        : empty("No worker is alive", "Jobs are safe and wait. Start workers: make up, or docker compose up -d."),
  );
}

export function showNothing() {
  fill(one("#attention"));
  for (const name of ["queues", "providers", "workers"]) {
    fill(
      one(`#${name}`),
      empty("For admins", "This is about the work of all tenants: enter a key with the scope admin to see it."),
    );
  }
}

function table(columns, rows, kind = null) {
  const head = columns.map(([name, kind]) => el("th", { scope: "col", class: kind }, name));
  return el("table", { class: kind }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows));
}

function queueTable(queues, workers) {
  return table(
    [
      ["Queue", ""],
      ["Waiting", "number"],
      ["Oldest", "number"],
      ["Running", "number"],
      ["State", "number"],
    ],
    queues.map((queue) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, queue.queue),
        el(
          "td",
          { class: "number" },
          count(queue.waiting),
          queue.delayed ? el("span", { class: "muted small" }, ` (${count(queue.delayed)} delayed)`) : null,
        ),
        el("td", { class: "number nowrap" }, queue.due ? seconds(queue.oldest_due_seconds) : "–"),
        el(
          "td",
          { class: "number" },
          queue.running
            ? el("a", { href: address("jobs", { query: { status: "in_progress" } }) }, count(queue.running))
            : 0,
        ),
        el("td", { class: "number" }, queueState(queue, workers)),
      ),
    ),
  );
}

function queueState(queue, workers) {
  if (isIdle(queue, workers)) return el("span", { class: "badge bad" }, "no worker");
  if (isUnheard(queue, workers)) return el("span", { class: "badge warn" }, "not heard");
  if (isLate(queue)) return el("span", { class: "badge warn" }, "behind");
  if (queue.delayed && !queue.due && !queue.running) return el("span", { class: "badge warn" }, "waits");
  return el("span", { class: "badge good" }, queue.due || queue.running ? "busy" : "idle");
}

function providerList(providers) {
  return el(
    "ul",
    { class: "stack" },
    providers.map((provider) =>
      el(
        "li",
        { class: "stack tight" },
        el(
          "div",
          { class: "row between" },
          el(
            "h3",
            {},
            provider.vendor,
            provider.provider === provider.vendor ? null : el("span", { class: "badge" }, provider.provider),
          ),
          el("span", { class: "muted small" }, limitOf(provider)),
        ),
        el(
          "ul",
          { class: "models" },
          provider.models.map((model) => el("li", {}, el("span", {}, model.model), breaker(model))),
        ),
      ),
    ),
  );
}

function limitOf(provider) {
  if (!provider.requests_per_minute) return "no limit of calls a minute";
  const used = `${count(provider.calls_in_last_minute)} of ${count(provider.requests_per_minute)} calls a minute`;
  return provider.waiting_for_limit ? `${used}, ${count(provider.waiting_for_limit)} wait` : used;
}

function breaker(model) {
  if (model.breaker === "closed" && model.paused_seconds > 0)
    return el("span", { class: "badge warn" }, `paused for ${seconds(model.paused_seconds)}`);
  const left = model.breaker === "open" && model.open_seconds > 0 ? ` for ${seconds(model.open_seconds)}` : "";
  return el("span", { class: `badge ${BREAKERS[model.breaker] ?? ""}` }, `breaker ${model.breaker}${left}`);
}

function workerTable(workers) {
  const load = (worker) => {
    const meter = el("span");
    meter.style.setProperty("--from", "0%");
    meter.style.setProperty("--width", `${worker.slots ? (100 * worker.running) / worker.slots : 0}%`);
    return el("span", { class: "strip load", "aria-hidden": "true" }, meter);
  };
  return table(
    [
      ["Worker", ""],
      ["Queue", ""],
      ["Running", "number"],
      ["Since", "number"],
      ["Heard", "number"],
    ],
    workers.map((worker) =>
      el(
        "tr",
        {},
        el("th", { scope: "row", class: "name wide" }, worker.name),
        el("td", { "data-name": "queue" }, worker.queue),
        el(
          "td",
          { class: "number nowrap", "data-name": "runs" },
          `${count(worker.running)} of ${count(worker.slots)}`,
          load(worker),
        ),
        el("td", { class: "number nowrap", "data-name": "since" }, time(worker.started_at)),
        el(
          "td",
          { class: "number nowrap", "data-name": "heard" },
          worker.late
            ? el("span", { class: "badge warn" }, `${seconds(worker.heard_seconds)} ago`)
            : `${seconds(worker.heard_seconds)} ago`,
        ),
      ),
    ),
    "cards",
  );
}
