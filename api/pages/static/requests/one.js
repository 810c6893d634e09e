// One request: what was asked and answered, by which tier or job, and what was paid for it.

import { get } from "../api.js";
import { code, el, facts, fill, one } from "../dom.js";
import { between, count, json, milliseconds, money, seconds, time, words } from "../format.js";
import { callTable } from "../jobs/calls.js";
import { LIVE, outcome, status } from "../outcomes.js";
import { Poll } from "../poll.js";
import { address } from "../route.js";
import { Alert, empty } from "../states.js";
import { traceOf } from "./trace.js";

const alert = new Alert(one("#request-alert"));
const place = one("#request-shown");

let wanted = null;
let seen = "";

const poll = new Poll(look, 2, (error) => alert.show(error, () => poll.start()));

export function showRequest(id) {
  wanted = id;
  seen = "";
  fill(place);
  alert.clear();
  poll.start();
}

export function hideRequest() {
  poll.stop();
}

/** Read it until its job has ended. */
async function look(signal) {
  const logged = await get(`/api/v1/requests/${encodeURIComponent(wanted)}`, { signal });
  const [job, calls] = logged.job_id ? await jobOf(logged.job_id, signal) : [null, null];
  alert.clear();
  const now = JSON.stringify([logged, job, calls]);
  if (now !== seen) fill(place, record(logged, job), exchange(logged), paid(logged, job, calls));
  seen = now;
  if (!LIVE.includes(job?.status)) poll.stop();
}

/** A job may be deleted already, or not be for this key: then the record stands alone. */
async function jobOf(id, signal) {
  const path = `/api/v1/jobs/${encodeURIComponent(id)}`;
  const found = await Promise.allSettled([get(path, { signal }), get(`${path}/provider_calls`, { signal })]);
  const failed = found.find((each) => each.reason && ![403, 404].includes(each.reason.status));
  if (failed) throw failed.reason;
  return found.map((each) => each.value ?? null);
}

function record(logged, job) {
  const isHit = logged.outcome === "memcached" || logged.outcome === "redis";
  const age = isHit && job ? between(job.completed_at, logged.at) : null;
  return el(
    "section",
    { class: "panel", "aria-label": "Record" },
    facts([
      ["Outcome", outcome(logged.outcome)],
      ["Tier", isHit ? logged.outcome : "none"],
      ["Age of the answer", age === null ? null : seconds(Math.max(0, age))],
      ["Time", time(logged.at)],
      ["Latency", milliseconds(logged.latency_ms)],
      ["HTTP status", logged.status],
      ["Error", logged.error],
      ["Task type", words(logged.task_type)],
      ["Client", logged.client],
      ["Tenant", logged.tenant],
      [
        "Saved",
        logged.saved &&
          `${money(logged.saved.cost_usd)}, ${seconds(logged.saved.seconds)}, ${count(logged.saved.total_tokens)} tokens`,
      ],
      ["X-Request-ID", logged.request_id && el("span", { class: "mono" }, logged.request_id)],
      ["Cache key", logged.cache_key && el("span", { class: "mono" }, logged.cache_key)],
      ["Trace", traceOf(logged)],
    ]),
  );
}

function exchange(logged) {
  const { input, ...others } = logged.request;
  const isText = typeof input === "string";
  return el(
    "div",
    { class: "halves" },
    el(
      "section",
      { class: "panel", "aria-label": "Asked" },
      el("header", {}, el("h2", {}, "Asked")),
      isText ? code(input, "the input") : null,
      code(json(isText ? others : logged.request), "the request"),
    ),
    el(
      "section",
      { class: "panel", "aria-label": "Answered" },
      el("header", {}, el("h2", {}, "Answered")),
      logged.response ? code(json(logged.response), "the answer") : empty("No answer", unanswered(logged)),
    ),
  );
}

function unanswered(logged) {
  if (logged.error) return `The call was refused: ${logged.error}.`;
  return "The job has not ended, has failed, or its answer is kept no longer.";
}

function paid(logged, job, calls) {
  if (!logged.job_id)
    return el(
      "section",
      { class: "panel", "aria-label": "Job" },
      empty("No job", "This call made none and joined none."),
    );
  return el(
    "section",
    { class: "panel", "aria-label": "Job" },
    el(
      "header",
      {},
      el("h2", {}, "Job"),
      el("a", { href: address("jobs", { id: logged.job_id }), class: "mono" }, logged.job_id),
    ),
    job
      ? facts([
          ["Status", status(job.status)],
          ["Attempts", job.attempts],
          ["Provider", job.provider],
          ["Model", job.model],
          ["Ran for", seconds(between(job.started_at, job.completed_at))],
        ])
      : el("p", { class: "muted" }, "This job is kept no longer, or belongs to another tenant."),
    calls ? callTable(calls.provider_calls) : null,
  );
}
