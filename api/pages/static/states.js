// What stands where there is nothing to show yet, nothing at all, or an error: always with what to do next.

import { el } from "./dom.js";
import { Problem } from "./api.js";

export function empty(title, ...advice) {
  return el("div", { class: "empty" }, el("strong", {}, title), el("p", {}, advice));
}

/** Return what an error says; `again` is called by its button. */
export function wrong(error, again) {
  const problem = error instanceof Problem ? error : new Problem(0, "This page has a mistake", String(error));
  const fields = problem.errors.map((each) =>
    el("li", { class: "small" }, el("code", {}, each.pointer || "/"), ` ${each.detail}`),
  );
  return el(
    "div",
    { class: "notice bad", role: "alert" },
    el("strong", {}, problem.title),
    el("p", { class: "small" }, detailOf(problem)),
    fields.length ? el("ul", {}, fields) : null,
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

/** Show an error above a view, and take it away again. */
export class Alert {
  #shown = null;

  constructor(place) {
    this.place = place;
  }

  show(error, again) {
    const said = `${error.status} ${error.title} ${error.detail}`;
    if (this.#shown === said) return;
    this.#shown = said;
    this.place.replaceChildren(wrong(error, again));
    this.place.hidden = false;
  }

  clear() {
    this.#shown = null;
    this.place.hidden = true;
    this.place.replaceChildren();
  }
}
