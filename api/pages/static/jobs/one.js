// One job: where it stands, and what can be done about it: cancel it while it lives, ask anew once it has failed.

import { get, problemOf, read, send } from "../api.js";
import { code, el, facts, fill, one } from "../dom.js";
import { between, count, json, seconds, time, words } from "../format.js";
import { LIVE, status } from "../outcomes.js";
import { Poll } from "../poll.js";
import { traceOf } from "../requests/trace.js";
import { address } from "../route.js";
import { Alert } from "../states.js";
import { callTable } from "./calls.js";

const alert = new Alert(one("#job-alert"));
const place = one("#job-shown");
const actions = one("#job-actions");

let wanted = null;
let seen = "";

const poll = new Poll(look, 1, (error) => alert.show(error, () => poll.start()));

export function showJob(id) {
  wanted = id;
  seen = "";
  fill(place);
  fill(actions, back());
  alert.clear();
  alert.clear("act");
  poll.start();
}

export function hideJob() {
  wanted = null;
  poll.stop();
}

async function look(signal) {
  const path = `/api/v1/jobs/${encodeURIComponent(wanted)}`;
  const job = await get(path, { signal });
  const calls = await callsOf(path, signal);
  alert.clear();
  const now = JSON.stringify([job, calls]);
  if (now !== seen) draw(job, calls);
  seen = now;
  if (!LIVE.includes(job.status)) poll.stop();
}

/** Null for a key that may ask and poll, but not read: what was paid is not shown to it. */
async function callsOf(path, signal) {
  try {
    return (await get(`${path}/provider_calls`, { signal })).provider_calls;
  } catch (error) {
    if (error.status === 403) return null;
    throw error;
  }
}

function draw(job, calls) {
  const { usage } = job;
  const button = LIVE.includes(job.status)
    ? act(job, "cancel", "Cancel", "danger")
    : job.status === "failed"
      ? act(job, "retry", "Retry", "first")
      : null;
  const focused = actions.contains(document.activeElement);
  fill(actions, button, back());
  if (focused) actions.firstChild.focus();
  fill(
    place,
    el(
      "section",
      { class: "panel", "aria-label": "Job" },
      facts([
        ["Status", status(job.status)],
        ["Task type", words(job.task_type)],
        ["Provider", job.provider],
        ["Model", job.model],
        ["Attempts", job.attempts],
        ["Accepted", time(job.created_at)],
        ["Waited", seconds(between(job.created_at, job.started_at))],
        ["Ran", seconds(between(job.started_at, job.completed_at))],
        [
          "Tokens",
          usage.total_tokens === null ? null : `${count(usage.prompt_tokens)} + ${count(usage.completion_tokens)}`,
        ],
        ["Job", el("span", { class: "mono" }, job.job_id)],
        ["Cache key", el("span", { class: "mono" }, job.cache.key)],
        ["Trace", traceOf(job)],
        ["Its requests", el("a", { href: address("requests", { query: { job_id: job.job_id } }) }, "on record")],
      ]),
    ),
    job.error ? failure(job.error) : null,
    job.result
      ? el(
          "section",
          { class: "panel", "aria-label": "Answer" },
          el("header", {}, el("h2", {}, "Answer")),
          code(json(job.result), "the answer"),
        )
      : null,
    calls
      ? el(
          "section",
          { class: "panel", "aria-label": "Provider calls" },
          el("header", {}, el("h2", {}, "Provider calls")),
          callTable(calls),
        )
      : null,
  );
}

function failure(error) {
  return el(
    "div",
    { class: "notice bad" },
    el("strong", {}, `${error.title} (${error.code})`),
    el("p", { class: "small" }, error.detail),
    el(
      "p",
      { class: "small muted" },
      error.retryable
        ? "It may succeed when it is tried again."
        : "It will hardly succeed as it is: the request, or a setting, has to change.",
    ),
  );
}

function act(job, verb, name, kind) {
  const button = el("button", { type: "button", class: kind }, name);
  button.addEventListener("click", async () => {
    button.disabled = true;
    alert.clear("act");
    try {
      const response = await send(`/api/v1/jobs/${encodeURIComponent(job.job_id)}/${verb}`, { method: "POST" });
      const answer = await read(response);
      if (!response.ok) throw problemOf(response.status, answer);
      if (answer.job_id === job.job_id) poll.start();
      else location.hash = address("jobs", { id: answer.job_id });
    } catch (error) {
      alert.show(error, null, "act");
      button.disabled = false;
    }
  });
  return button;
}

const back = () => el("a", { class: "button", href: "#jobs" }, "All jobs");
