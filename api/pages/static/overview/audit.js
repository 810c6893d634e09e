// How answers drift with age, where hits are audited: by this a TTL is chosen.

import { el, fill, one, say } from "../dom.js";
import { count, seconds, tenths, words } from "../format.js";

const COLUMNS = [
  ["Task type", null],
  ["Age", null],
  ["Compared", "number"],
  ["Still equivalent", "number"],
];

export function showAudit({ compared, equivalent_share: share, by_age: ages }) {
  one("#audit-panel").hidden = !compared;
  if (!compared) return;
  say(one("#audit-said"), `${count(compared)} hits were asked again: ${tenths(share)} still equivalent`);
  const head = COLUMNS.map(([name, kind]) => el("th", { scope: "col", class: kind }, name));
  fill(
    one("#audit"),
    el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, ages.filter((each) => each.compared).map(row))),
  );
}

function row(drift) {
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, words(drift.task_type)),
    el("td", { class: "nowrap" }, ageOf(drift)),
    el("td", { class: "number" }, count(drift.compared)),
    el("td", { class: "number" }, tenths(drift.equivalent_share)),
  );
}

function ageOf({ from_seconds: from, to_seconds: to }) {
  return to === null ? `from ${seconds(from)} on` : `${seconds(from)} to ${seconds(to)}`;
}
