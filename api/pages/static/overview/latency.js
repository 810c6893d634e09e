// How long calls took, by outcome: three percentiles as figures, and as a bar on a logarithmic scale.

import { el, fill, one } from "../dom.js";
import { brief, milliseconds } from "../format.js";
import { OUTCOMES, outcome } from "../outcomes.js";
import { empty } from "../states.js";

const FROM = Math.log10(0.2);
const KINDS = ["", "number optional", "number", "number", "number", "grow"];
const TO = Math.log10(60_000);

export function showLatency(latencies, totals) {
  const known = OUTCOMES.filter((name) => latencies[name].p50 !== null);
  const place = one("#latency");
  if (!known.length) {
    fill(place, empty("No call yet", "Latencies appear with the first request."));
    return;
  }
  const head = ["Outcome", "Requests", "p50", "p95", "p99", ""].map((name, index) =>
    el("th", { scope: "col", class: KINDS[index] }, name || el("span", { class: "unseen" }, "p50 to p99")),
  );
  fill(
    place,
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, head)),
      el(
        "tbody",
        {},
        known.map((name) => row(name, latencies[name], totals[name])),
      ),
    ),
  );
}

function row(name, { p50, p95, p99 }, requests) {
  const figures = [brief(requests), milliseconds(p50), milliseconds(p95), milliseconds(p99)];
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, outcome(name)),
    figures.map((each, index) => el("td", { class: `${KINDS[index + 1]} nowrap` }, each)),
    el("td", { class: "grow" }, strip(name, p50, p99)),
  );
}

function strip(name, low, high) {
  const bar = el("span", { class: `of-${name}` });
  const from = share(low);
  bar.style.setProperty("--from", `${from * 100}%`);
  bar.style.setProperty("--width", `${Math.max(0.015, share(high) - from) * 100}%`);
  return el("span", { class: "strip", "aria-hidden": "true" }, bar);
}

const share = (value) => Math.min(1, Math.max(0, (Math.log10(Math.max(value, 0.001)) - FROM) / (TO - FROM)));
