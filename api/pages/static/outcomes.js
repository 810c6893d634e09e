// Outcomes of calls that ask, and statuses of jobs: their colours and words.

import { el } from "./dom.js";
import { words } from "./format.js";

export const OUTCOMES = ["memcached", "redis", "joined", "bypass", "miss", "error"];
export const STATUSES = ["queued", "in_progress", "completed", "failed", "cancelled"];
export const LIVE = ["queued", "in_progress"];

const KINDS = { queued: "warn", in_progress: "live", completed: "good", failed: "bad", cancelled: "" };

export function outcome(name) {
  const kind = OUTCOMES.includes(name) ? name : "miss";
  return el("span", { class: "outcome" }, el("span", { class: `dot of-${kind}`, "aria-hidden": "true" }), name);
}

export function status(name) {
  return el("span", { class: `badge ${KINDS[name] ?? ""}` }, words(name));
}
