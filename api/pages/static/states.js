// What stands where there is nothing to show yet, nothing at all, or an error: always with what to do next.

import { el, one } from "./dom.js";
import { Problem } from "./api.js";
import { isOutage } from "./outage.js";

export function empty(title, ...advice) {
  return el("div", { class: "empty" }, el("strong", {}, title), el("p", {}, advice));
}

/** Return what an error says; `again` is called by its button. */
function wrong(problem, again) {
  const fields = problem.errors.map((each) =>
    el("li", { class: "small" }, el("code", {}, each.pointer || "/"), ` ${each.detail}`),
  );
  const waits = again && isOutage(problem) ? " This page goes on by itself once it is well again." : "";
  return el(
    "div",
    { class: "notice bad", role: "alert" },
    el("strong", {}, problem.title),
    fields.length ? el("ul", {}, fields) : el("p", { class: "small" }, detailOf(problem), waits),
    again ? el("div", {}, el("button", { type: "button", on: { click: again } }, "Try again")) : null,
  );
}

/** Return what an error says as running text. */
export function sentenceOf(error) {
  if (!(error instanceof Problem)) return `It broke off: ${error}`;
  if (!error.detail) return error.title;
  return `${error.title}${/[.!?]$/.test(error.title) ? "" : ":"} ${error.detail}`;
}

function detailOf(problem) {
  if (problem.status === 401) return "Enter an API key at the top of the page; askonce keys create makes one.";
  return problem.detail;
}

/** Shows errors above a view, one at a time, and takes them away again: each goes when what failed has succeeded. */
export class Alert {
  #errors = new Map();
  #shown = null;

  constructor(place) {
    this.place = place;
  }

  /** `from`: what failed, where several things may. `again` is called by a button. */
  show(error, again, from = "") {
    const problem = error instanceof Problem ? error : new Problem(null, "This page has a mistake", String(error));
    this.#errors.set(from, { problem, again });
    this.#draw();
  }

  clear(from = "") {
    this.#errors.delete(from);
    this.#draw();
  }

  #draw() {
    const [first] = this.#errors.values();
    // What is read, or has the focus, stays as it is while it says the same.
    const { status, title, detail, errors } = first?.problem ?? {};
    const said = JSON.stringify([status, title, detail, errors]);
    if (said === this.#shown) return;
    this.#shown = said;
    const focused = this.place.contains(document.activeElement);
    this.place.replaceChildren(...(first ? [wrong(first.problem, first.again)] : []));
    this.place.hidden = !first;
    if (focused) one("main h1:not([hidden] *)")?.focus({ preventScroll: true });
  }
}
