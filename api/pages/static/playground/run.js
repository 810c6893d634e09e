// One request from its call to its hit: predict, polls until the job ends, and the same again, which costs nothing.

import { problemOf, read, send } from "../api.js";
import { el, one, say } from "../dom.js";
import { LIVE } from "../outcomes.js";
import { address } from "../route.js";
import { kindOf, Steps } from "./steps.js";

const PAUSES = [150, 250, 400, 600, 1000];
const PREDICT = "/api/v1/predict";

/** Make the calls, and show each. `refused` gets the problem if the request is. */
export async function run(wanted, signal, refused) {
  const steps = new Steps(one("#steps"));
  const said = one("#steps-said");
  say(said, "asking");
  try {
    const first = await predict(steps, "POST /api/v1/predict", wanted, wanted.directive, signal);
    if (first.status === 202) {
      const job = await poll(steps, first.document, signal);
      if (job.status !== "completed") {
        say(said, `the job is ${job.status}`);
        return;
      }
    } else if (!first.ok) {
      refused(problemOf(first.status, first.document));
      say(said, "no answer");
      return;
    }
    if (wanted.directive === "no-store") {
      say(said, "answered, and kept nowhere");
      return;
    }
    // Whatever has become of the answer meanwhile: this call asks no provider.
    const again = await predict(steps, "The same again", wanted, "only-if-cached", signal);
    say(said, again.ok ? `a hit in ${again.document.cache.tier}` : "answered");
  } catch (error) {
    if (error.name === "AbortError") return;
    steps.begin(error.title ?? String(error)).end("failed", "bad", { note: error.detail });
    say(said, "no answer");
  }
}

async function predict(steps, title, wanted, directive, signal) {
  const step = steps.begin(title);
  const began = performance.now();
  const response = await send(PREDICT, { method: "POST", signal, ...message(wanted, directive) });
  const document = await read(response);
  const ms = performance.now() - began;
  step.end(`${response.status} ${meaning(response.status, document)}`, kindOf(response.status), {
    headers: response.headers,
    document,
    result: response.status === 200 ? document.result : null,
    open: !response.ok,
    ms,
    note: advice(response, document),
  });
  if (document.job_id)
    step.body.prepend(
      el(
        "p",
        { class: "small" },
        "Job ",
        el("a", { href: address("jobs", { id: document.job_id }), class: "mono" }, document.job_id),
      ),
    );
  return { status: response.status, ok: response.ok, document };
}

function message({ body, file }, directive) {
  const headers = directive ? { "Cache-Control": directive } : {};
  if (!file) return { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const form = new FormData();
  form.append("task_type", body.task_type);
  if (body.model) form.append("model", body.model);
  if (body.options) form.append("options", JSON.stringify(body.options));
  form.append("file", file, file.name);
  return { headers, body: form };
}

function meaning(status, document) {
  if (status === 202) return "a job";
  if (status === 200) return document.cache?.hit ? `hit in ${document.cache.tier}` : "answered";
  return document.code ?? "";
}

function advice(response, document) {
  if (response.status === 202)
    return "No tier has the answer. A job was accepted and is safe on disk; its end is polled below.";
  if (response.ok && document.cache?.hit)
    return `From memory: ${document.cache.age} s old, and kept for ${document.cache.ttl} s more. No provider was asked.`;
  return response.ok ? null : document.detail;
}

/** Read the job until it has ended, more and more slowly. */
async function poll(steps, accepted, signal) {
  const step = steps.begin("GET /api/v1/jobs/{id}, until it has ended");
  let job = accepted;
  let polls = 0;
  let response = null;
  while (LIVE.includes(job.status)) {
    await pause(PAUSES[Math.min(polls, PAUSES.length - 1)], signal);
    response = await send(accepted.urls.self, { signal });
    job = await read(response);
    if (!response.ok) throw problemOf(response.status, job);
    polls += 1;
    step.note(`poll ${polls}: ${job.status}`);
  }
  const note = `${polls} poll${polls === 1 ? "" : "s"}, ${job.attempts} attempt${job.attempts === 1 ? "" : "s"}, by ${job.provider} ${job.model}`;
  step.end(job.status, job.status === "completed" ? "good" : "bad", {
    headers: response.headers,
    document: job,
    result: job.result,
    note: job.error ? `${job.error.title}. ${job.error.detail}` : note,
  });
  return job;
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(new DOMException("given up", "AbortError"));
      },
      { once: true },
    );
  });
}
