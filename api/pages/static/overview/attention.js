// What somebody has to look at, before any figure: queues that nobody works on, or too slowly, and providers that are not asked.

import { announce, el, one } from "../dom.js";
import { count, seconds } from "../format.js";

const LATE_SECONDS = 60;

/** Whether no worker takes jobs of a queue; false where that is not known. */
export const isIdle = (queue, workers) => workers !== null && !workers.some((each) => each.queue === queue.queue);

/** Whether no worker of a queue has been heard for some beats. */
export const isUnheard = (queue, workers) =>
  workers !== null && !isIdle(queue, workers) && workers.every((each) => each.late || each.queue !== queue.queue);

export const isLate = (queue) => queue.oldest_due_seconds > LATE_SECONDS;

export function showAttention({ queues, providers, workers }) {
  const found = [
    ...queues.flatMap((queue) => ofQueue(queue, workers)),
    ...(providers ?? []).flatMap(({ vendor, models }) => models.flatMap((model) => ofModel(vendor, model))),
  ];
  announce(
    one("#attention"),
    found.length
      ? el(
          "div",
          { class: "notice warn" },
          el("strong", {}, "Needs attention"),
          el(
            "ul",
            { class: "small" },
            found.map((each) => el("li", {}, each)),
          ),
        )
      : null,
  );
}

function ofQueue(queue, workers) {
  const jobs = `${count(queue.waiting)} ${queue.waiting === 1 ? "job waits" : "jobs wait"}`;
  if (isIdle(queue, workers)) return [`Queue ${queue.queue} has no worker, ${jobs}: make up, or docker compose up -d.`];
  if (isUnheard(queue, workers)) return [`Queue ${queue.queue} has a worker that is not heard, ${jobs}: askonce doctor says more.`];
  if (isLate(queue)) return [`Queue ${queue.queue} is behind: its oldest job is due for ${seconds(queue.oldest_due_seconds)}, ${jobs}.`];
  return [];
}

function ofModel(vendor, { model, breaker, paused_seconds: paused }) {
  if (breaker === "open") return [`${vendor} ${model} keeps failing, so it is not asked for a while: its jobs wait.`];
  if (breaker === "closed" && paused > 0) return [`${vendor} ${model} asks for a pause of ${seconds(paused)}: its jobs wait.`];
  return [];
}
