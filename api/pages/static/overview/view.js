// The first screen: what was saved in a period, from the statistics; what waits and runs now, from the overview.

import { get, keys, withQuery } from "../api.js";
import { all, one } from "../dom.js";
import { Poll } from "../poll.js";
import { Alert } from "../states.js";
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
const failed = (error) => alert.show(error, () => reload());

const sums = new Poll(
  async (signal) => {
    const period = PERIODS[one("input[name=period]:checked").value];
    const from = new Date(Date.now() - (period.seconds - period.step) * 1000).toISOString();
    const found = await get(withQuery("/api/v1/statistics", { from, bucket: period.bucket }), { signal });
    alert.clear();
    showFigures(found);
    drawCharts(found, period);
    showLatency(found.totals.latency_ms_by_outcome, found.totals);
  showAudit(found.audit);
  },
  10,
  failed,
);

let forbidden = false;

keys.addEventListener("changed", () => {
  forbidden = false;
});

const now = new Poll(
  async (signal) => {
    if (!forbidden) await look(signal);
  },
  5,
  failed,
);

let well = true;

/** Apart from the others, which wait longer after each failure: its success after an outage is what makes them go on. */
const health = new Poll(
  async (signal) => {
    const found = await get("/api/v1/health", { signal });
    showHealth(found);
    const recovered = !well && found.status === "ok";
    well = found.status === "ok";
    if (recovered) startReading();
  },
  5,
  (error) => {
    well = false;
    failed(error);
  },
);

/** The overview is for admins: whoever is none is not asked for it again until there is another key. */
async function look(signal) {
  try {
    showNow(await get("/api/v1/overview", { signal }));
  } catch (error) {
    if (error.status !== 403) throw error;
    forbidden = true;
    showNothing();
  }
}

for (const choice of all("input[name=period]")) choice.addEventListener("change", () => sums.now());

function reload() {
  sums.now();
  now.now();
  health.now();
}

function startReading() {
  sums.start();
  now.start();
}

export function show() {
  startReading();
  health.start();
}

export function hide() {
  sums.stop();
  now.stop();
  health.stop();
}

export function repaint() {
  repaintCharts();
}
