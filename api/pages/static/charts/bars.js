// Stacked bars over time, with a legend that follows the pointer, and the same figures as a table.

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { el, fill, say } from "../dom.js";

const HEIGHT = 190;

/** A chart in `place`. `series`: `{name, kind}`, the lowest first; `show`: a figure as text; `top`: the end of the axis. */
export class Bars {
  #chart = null;
  #data = null;

  constructor(place, { series, show, label, top = null }) {
    this.series = series;
    this.show = show;
    this.label = label;
    this.top = top;
    this.plot = el("div", { class: "plot", role: "img", "aria-label": label });
    this.values = series.map(() => el("b", {}, ""));
    this.when = el("span", { class: "when" }, "");
    this.rows = el("tbody");
    const names = series.map(({ name, kind }, index) =>
      el(
        "span",
        { class: "outcome" },
        el("span", { class: `dot of-${kind}`, "aria-hidden": "true" }),
        name,
        " ",
        this.values[index],
      ),
    );
    const head = el(
      "tr",
      {},
      el("th", { scope: "col" }, "From"),
      series.map(({ name }) => el("th", { class: "number", scope: "col" }, name)),
    );
    const table = el("table", {}, el("caption", { class: "unseen" }, label), el("thead", {}, head), this.rows);
    this.details = el(
      "details",
      {},
      el("summary", {}, "As a table"),
      el("div", { class: "scroll tall", tabindex: 0, role: "group", "aria-label": label }, table),
    );
    this.details.addEventListener("toggle", () => this.#fillTable());
    fill(place, el("div", { class: "legend" }, names, this.when), this.plot, this.details);
    new ResizeObserver(() => this.#resize()).observe(this.plot);
  }

  /** Show figures. `times`: seconds since 1970; `values`: a list for each series, null where unknown. `step`: seconds. */
  set({ times, values, step, rest, said }) {
    const known = JSON.stringify(this.#data);
    this.#data = { times, values, step, rest };
    // What the pointer shows stays as it is while nothing is new.
    if (JSON.stringify(this.#data) === known) return;
    this.plot.setAttribute("aria-label", said);
    this.#follow(null);
    this.#fillTable();
    this.repaint();
  }

  repaint() {
    if (!this.#data || !this.plot.clientWidth) return;
    this.#chart?.destroy();
    this.#chart = new uPlot(this.#options(), this.#stacked(), this.plot);
  }

  #stacked() {
    const { times, values } = this.#data;
    const sums = times.map(() => 0);
    const layers = values.map((layer) => layer.map((value, index) => (value === null ? null : (sums[index] += value))));
    return [times, ...layers.reverse()];
  }

  #options() {
    const { step } = this.#data;
    const style = getComputedStyle(this.plot);
    const colour = (name) => resolved(this.plot, name);
    const font = `11px ${style.fontFamily}`;
    const axis = { stroke: colour("--muted"), font, ticks: { show: false }, gap: 4 };
    const grid = { stroke: colour("--line"), width: 1 };
    const bars = uPlot.paths.bars({ size: [0.82, 40], align: 1 });
    return {
      width: this.plot.clientWidth,
      height: HEIGHT,
      padding: [10, this.#overhang(font), 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { range: (_, from, to) => [from, to + step] },
        y: { range: (_, __, most) => [0, this.top ?? Math.max(most * 1.05, 4)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          gap: 8,
          size: 30,
          values: (_, splits, __, ___, every) => splits.map((at) => tick(at, every)),
          space: 64,
        },
        {
          ...axis,
          grid,
          size: 46,
          values: (_, splits) => splits.map((value) => this.show(value)),
          space: 30,
          incrs: this.top
            ? undefined
            : [
                1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1e3, 2e3, 2500, 5e3, 1e4, 2e4, 25e3, 5e4, 1e5, 2e5, 5e5,
                1e6, 1e7, 1e8,
              ],
        },
      ],
      series: [
        {},
        ...[...this.series]
          .reverse()
          .map(({ kind }) => ({ fill: colour(`--${kind}`), width: 0, points: { show: false }, paths: bars })),
      ],
      hooks: { setCursor: [(chart) => this.#follow(this.#under(chart))] },
    };
  }

  /** The room right of the last bar that half a label needs: a label is below the beginning of its bar. */
  #overhang(font) {
    const { times } = this.#data;
    const brush = el("canvas").getContext("2d");
    brush.font = font;
    const widths = [hour, day].map((format) => brush.measureText(format.format(times.at(-1) * 1000)).width);
    return Math.max(14, Math.ceil(Math.max(...widths) / 2) + 2);
  }

  /** The bar under the pointer, which goes from its time to that of the next one; null beside the chart. */
  #under(chart) {
    if (chart.cursor.left < 0) return null;
    const { times, step } = this.#data;
    const index = Math.floor((chart.posToVal(chart.cursor.left, "x") - times[0]) / step);
    return index < 0 || index >= times.length ? null : index;
  }

  #follow(index) {
    const { times, values, rest } = this.#data;
    const known = index !== null && index !== undefined;
    this.values.forEach((place, each) => say(place, known ? this.show(values[each][index]) : rest[each]));
    say(this.when, known ? stamp(times[index]) : "");
  }

  #fillTable() {
    if (!this.details.open || !this.#data) return;
    const { times, values } = this.#data;
    const rows = times.map((at, index) => [at, index]).reverse();
    fill(
      this.rows,
      rows.map(([at, index]) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, stamp(at)),
          values.map((layer) => el("td", { class: "number" }, this.show(layer[index]))),
        ),
      ),
    );
  }

  #resize() {
    if (this.#chart && Math.abs(this.#chart.width - this.plot.clientWidth) > 1)
      this.#chart.setSize({ width: this.plot.clientWidth, height: HEIGHT });
    else if (!this.#chart) this.repaint();
  }
}

const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

const stamp = (at) => `${day.format(at * 1000)}, ${hour.format(at * 1000)}`;

const tick = (at, every) =>
  every < 86400 && new Date(at * 1000).getHours() + new Date(at * 1000).getMinutes() > 0
    ? hour.format(at * 1000)
    : day.format(at * 1000);

/** A colour of the style sheet as a canvas reads it: without light-dark(). */
function resolved(within, name) {
  const probe = el("span", { hidden: true });
  probe.style.color = `var(${name})`;
  within.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
