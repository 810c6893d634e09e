// The request log: the list, and one request.

import { el, one } from "../dom.js";
import { milliseconds, time, UNKNOWN, words } from "../format.js";
import { List } from "../list.js";
import { outcome } from "../outcomes.js";
import { address } from "../route.js";
import { empty } from "../states.js";
import { hideRequest, showRequest } from "./one.js";

const COLUMNS = [
  ["Time", ""],
  ["Outcome", ""],
  ["Task type", ""],
  ["Client", ""],
  ["Status", "number"],
  ["Latency", "number"],
  ["Cache key", ""],
];

const list = new List({
  name: "requests",
  path: "/api/v1/requests",
  every: 2,
  columns: COLUMNS,
  row,
  none: () =>
    empty(
      "No request is on record",
      "Ask something in the ",
      el("a", { href: "#playground" }, "playground"),
      "; it appears here within a second or two.",
    ),
});

function row(each) {
  return el(
    "tr",
    {},
    el("th", { scope: "row", class: "nowrap" }, el("a", { href: address("requests", { id: each.id }) }, time(each.at))),
    el("td", {}, outcome(each.outcome), each.calls > 1 ? ` ×${each.calls}` : null),
    el("td", {}, words(each.task_type), each.error ? el("span", { class: "small muted" }, ` ${each.error}`) : null),
    el("td", { "data-name": "by" }, each.client),
    el("td", { class: "number", "data-name": "status" }, each.status),
    el("td", { class: "number nowrap", "data-name": "took" }, milliseconds(each.latency_ms)),
    el("td", { class: "mono wide", "data-name": "key" }, each.cache_key ? each.cache_key.slice(0, 12) : UNKNOWN),
  );
}

export function show({ id, query }) {
  one("#request-list").hidden = Boolean(id);
  one("#request-one").hidden = !id;
  list.hide();
  hideRequest();
  if (id) showRequest(id);
  else list.show(query);
}

export function hide() {
  list.hide();
  hideRequest();
}
