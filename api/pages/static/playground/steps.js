// The steps of a call as a list: what was sent, what came back, and how long it took.

import { code, el, fill, say } from "../dom.js";
import { json, milliseconds, tenths } from "../format.js";

const SHOWN_HEADERS = [
  "cache-status",
  "age",
  "location",
  "retry-after",
  "preference-applied",
  "x-askonce-job",
  "ratelimit",
  "x-request-id",
];

export class Steps {
  constructor(place) {
    this.place = place;
    fill(place);
  }

  /** Add a step that goes on; returns it. */
  begin(title) {
    const step = new Step(title);
    this.place.append(step.item);
    return step;
  }
}

class Step {
  #began = performance.now();

  constructor(title) {
    this.title = el("strong", {}, title);
    this.state = el("span", { class: "badge live" }, "…");
    this.took = el("span", { class: "muted small" });
    this.body = el("div", { class: "stack tight" });
    this.item = el(
      "li",
      {},
      el("div", { class: "row between" }, this.title, el("span", { class: "row" }, this.took, this.state)),
      this.body,
    );
  }

  note(text) {
    say(this.took, text);
  }

  /** End with an HTTP status and the headers that tell something, or with a word. */
  end(state, kind, { headers, document, result, open = false, note, ms } = {}) {
    this.state.textContent = state;
    this.state.className = `badge ${kind}`;
    this.note(milliseconds(ms ?? performance.now() - this.#began));
    const told = headers
      ? SHOWN_HEADERS.filter((name) => headers.get(name)).map((name) => [name, headers.get(name)])
      : [];
    fill(
      this.body,
      note ? el("p", { class: "small" }, note) : null,
      told.length
        ? el(
            "ul",
            { class: "headers" },
            told.map(([name, value]) => el("li", {}, el("span", { class: "muted" }, `${name}: `), value)),
          )
        : null,
      result ? answer(result) : null,
      document === undefined
        ? null
        : el(
            "details",
            { open },
            el("summary", {}, "Body"),
            code(typeof document === "string" ? document : json(document), "the body"),
          ),
    );
  }
}

/** What was answered: a text that is all of it by itself, or labels by their score; else every member. */
function answer(result) {
  const [only, ...others] = Object.values(result);
  if (others.length || typeof only !== "string") return result.labels ? labels(result) : code(json(result), "the answer");
  return el("blockquote", { dir: "auto", tabindex: 0, role: "group", "aria-label": "Answer" }, only);
}

function labels(result) {
  return el(
    "ul",
    { class: "models" },
    result.labels.map(({ label, score }) =>
      el("li", {}, el("span", {}, label), el("span", { class: "muted" }, tenths(score))),
    ),
  );
}

export const kindOf = (status) => (status < 300 ? "good" : status < 500 ? "warn" : "bad");
