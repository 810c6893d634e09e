// What is down: shown only while something is.

import { announce, el, one } from "../dom.js";

const EFFECTS = {
  postgres: "Only hits are answered; no job is accepted or read.",
  memcached: "Hits come from Redis alone, somewhat slower.",
  redis: "Hits come from memcached alone. Limits and breakers are not shared.",
  broker: "Jobs are accepted and safe; workers get them once it is back.",
};

export function showHealth({ status, dependencies, background, request_log: log }) {
  if (status === "ok") {
    announce(one("#health"), null);
    return;
  }
  const down = Object.keys(dependencies).filter((name) => dependencies[name].state === "down");
  const failing = Object.keys(background).filter((name) => background[name].state === "failing");
  announce(
    one("#health"),
    el(
      "div",
      { class: "notice bad" },
      el("strong", {}, down.length ? `Down: ${down.join(", ")}` : `Failing: ${failing.join(", ")}`),
      el(
        "ul",
        { class: "small" },
        down.map((name) => el("li", {}, EFFECTS[name] ?? name)),
        failing.map((name) => el("li", {}, `${name}: ${background[name].last_error ?? "fails"}`)),
      ),
      el(
        "p",
        { class: "small muted" },
        `${log.backlog} records wait to be written. `,
        el("code", {}, "askonce status"),
        " shows every process, and where its log is.",
      ),
    ),
  );
}
