// Jobs: the list, and one job.

import { el, one } from "../dom.js";
import { between, seconds, time, words } from "../format.js";
import { List } from "../list.js";
import { status } from "../outcomes.js";
import { address } from "../route.js";
import { empty } from "../states.js";
import { hideJob, showJob } from "./one.js";

const COLUMNS = [
  ["Accepted", ""],
  ["Status", ""],
  ["Task type", ""],
  ["Provider and model", ""],
  ["Attempts", "number"],
  ["Waited", "number"],
  ["Ran", "number"],
];

const list = new List({
  name: "jobs",
  path: "/api/v1/jobs",
  every: 2,
  columns: COLUMNS,
  row,
  none: () =>
    empty(
      "There is no job",
      "A job is made when no tier has an answer. Ask something new in the ",
      el("a", { href: "#playground" }, "playground"),
      ".",
    ),
});

function row(job) {
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row", class: "nowrap" },
      el("a", { href: address("jobs", { id: job.job_id }) }, time(job.created_at)),
    ),
    el("td", {}, status(job.status), job.error ? el("span", { class: "small muted" }, ` ${job.error.code}`) : null),
    el("td", {}, words(job.task_type)),
    el("td", { class: "wide" }, `${job.provider} ${job.model}`),
    el("td", { class: "number", "data-name": "attempts" }, job.attempts),
    el("td", { class: "number nowrap", "data-name": "waited" }, seconds(between(job.created_at, job.started_at))),
    el("td", { class: "number nowrap", "data-name": "ran" }, seconds(between(job.started_at, job.completed_at))),
  );
}

export function show({ id, query }) {
  one("#job-list").hidden = Boolean(id);
  one("#job-one").hidden = !id;
  list.hide();
  hideJob();
  if (id) showJob(id);
  else list.show(query);
}

export function hide() {
  list.hide();
  hideJob();
}
