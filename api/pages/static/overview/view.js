// The first screen: what was saved in a period, from the statistics; what waits and runs now, from the overview.

import { get, keys, withQuery } from "../api.js";
import { all, one } from "../dom.js";
import { unwatch, watch } from "../health.js";
import { Poll } from "../poll.js";
import { Alert } from "../states.js";
import { showAttention } from "./attention.js";
import { showAudit } from "./audit.js";
import { drawCharts, repaintCharts } from "./charts.js";
import { showFigures } from "./figures.js";
import { showLatency } from "./latency.js";
import { showHealth } from "./health.js";
import { showNow, showNothing } from "./now.js";

const HOUR = 3600;

/** Seconds, and the bucket in which they are summed up. */
const PERIODS = {
  day: { seconds: 24 * HOUR, bucket: "hour", step: HOUR },
  week: { seconds: 7 * 24 * HOUR, bucket: "hour", step: HOUR },
  month: { seconds: 30 * 24 * HOUR, bucket: "day", step: 24 * HOUR },
};

const alert = new Alert(one("#overview-alert"));
const failed = (from) => (error) => alert.show(error, start, from);

const sums = new Poll(
  async (signal) => {
    const period = PERIODS[one("input[name=period]:checked").value];
    const from = new Date(Date.now() - (period.seconds - period.step) * 1000).toISOString();
    const found = await get(withQuery("/api/v1/statistics", { from, bucket: period.bucket }), { signal });
    alert.clear("sums");
    showFigures(found);
    drawCharts(found, period);
    showLatency(found.totals.latency_ms_by_outcome, found.totals);
    showAudit(found.audit);
  },
  10,
  failed("sums"),
);

let forbidden = false;

keys.addEventListener("changed", () => {
  forbidden = false;
});

const now = new Poll(
  async (signal) => {
    if (!forbidden) await look(signal);
    alert.clear("now");
  },
  5,
  failed("now"),
);

/** The overview is for admins: whoever is none is not asked for it again until there is another key. */
async function look(signal) {
  try {
    const found = await get("/api/v1/overview", { signal });
    showAttention(found);
    showNow(found);
  } catch (error) {
    if (error.status !== 403) throw error;
    forbidden = true;
    showNothing();
  }
}

for (const choice of all("input[name=period]")) choice.addEventListener("change", () => sums.start());

function start() {
  sums.start();
  now.start();
  watch((found) => {
    alert.clear("health");
    showHealth(found);
  }, failed("health"));
}

export function show() {
  start();
}

export function hide() {
  sums.stop();
  now.stop();
  unwatch();
}

export function repaint() {
  repaintCharts();
}
