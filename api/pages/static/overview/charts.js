// The charts over time, from the series of the statistics: hours or days in which nothing was asked are missing there.

import { Bars } from "../charts/bars.js";
import { one, say } from "../dom.js";
import { brief, count, percent } from "../format.js";
import { OUTCOMES } from "../outcomes.js";

const TIERS = ["memcached", "redis"];
const named = (names) => names.map((name) => ({ name, kind: name }));

let charts = null;

function made() {
  charts ??= {
    ratio: new Bars(one("#ratio-chart"), {
      series: named(TIERS),
      show: percent,
      label: "Hit ratio by tier over time",
      top: 1,
    }),
    volume: new Bars(one("#volume-chart"), {
      series: named(OUTCOMES),
      show: brief,
      label: "Requests by outcome over time",
    }),
  };
  return charts;
}

export function drawCharts({ from, to, series, totals }, { step }) {
  const found = new Map(series.map((each) => [Date.parse(each.start) / 1000, each]));
  const times = [];
  for (let at = Date.parse(from) / 1000; at < Date.parse(to) / 1000; at += step) times.push(at);
  const each = (value) => times.map((at) => value(found.get(at)));
  const { ratio, volume } = made();
  const overall = percent(totals.requests ? totals.hit_ratio : null);
  ratio.set({
    times,
    step,
    values: TIERS.map((tier) => each((sums) => (sums ? sums.hit_ratio_by_tier[tier] : null))),
    rest: TIERS.map((tier) => (totals.requests ? percent(totals.hit_ratio_by_tier[tier]) : "")),
    said: `Hit ratio by tier over time: ${overall} of all requests were hits. The table below has every figure.`,
  });
  volume.set({
    times,
    step,
    values: OUTCOMES.map((outcome) => each((sums) => (sums ? sums[outcome] : 0))),
    rest: OUTCOMES.map((outcome) => brief(totals[outcome])),
    said: `Requests by outcome over time: ${count(totals.requests)} in all. The table below has every figure.`,
  });
  say(one("#ratio-said"), totals.requests ? `${overall} in all` : "");
  say(one("#volume-said"), `${count(totals.requests)} in all`);
}

export function repaintCharts() {
  charts?.ratio.repaint();
  charts?.volume.repaint();
}
