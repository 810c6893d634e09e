// Figures and times as people read them. Unknown is a dash.

export const UNKNOWN = "–";

const whole = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

export const count = (value) => (known(value) ? whole.format(value) : UNKNOWN);

export const brief = (value) => (!known(value) ? UNKNOWN : value < 10000 ? whole.format(value) : short.format(value));

export const percent = (share) =>
  known(share) ? `${(share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %` : UNKNOWN;

/** A share of which also the tenths of a percent matter. */
export const tenths = (share) => (known(share) ? `${(share * 100).toFixed(1)} %` : UNKNOWN);

/** US dollars: cents from one dollar on, else two significant digits. */
export function money(dollars) {
  if (!known(dollars)) return UNKNOWN;
  if (dollars === 0) return "$0";
  if (dollars >= 1000) return `$${whole.format(Math.round(dollars))}`;
  if (dollars >= 1) return `$${dollars.toFixed(2)}`;
  return `$${Number(dollars.toPrecision(2)).toFixed(Math.min(8, 1 - Math.floor(Math.log10(dollars))))}`;
}

export function milliseconds(value) {
  if (!known(value)) return UNKNOWN;
  if (value < 10) return `${value.toFixed(1)} ms`;
  if (value < 1000) return `${Math.round(value)} ms`;
  return seconds(value / 1000);
}

export function seconds(value) {
  if (!known(value)) return UNKNOWN;
  if (value < 1 && value > 0) return `${Math.round(value * 1000)} ms`;
  if (value < 10) return `${Number(value.toFixed(1))} s`;
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  if (value < 172800) return `${Number((value / 3600).toFixed(1))} h`;
  return `${Number((value / 86400).toFixed(1))} days`;
}

/** Hours for what was saved, with as many digits as it takes. */
export function hours(value) {
  if (!known(value)) return UNKNOWN;
  return value < 3600 ? seconds(value) : `${Number((value / 3600).toFixed(1))} h`;
}

/** A time of day, with its date if that is not today's. */
export function time(text) {
  if (!text) return UNKNOWN;
  const moment = new Date(text);
  const today = new Date().toDateString() === moment.toDateString();
  return today ? clock.format(moment) : `${day.format(moment)}, ${clock.format(moment)}`;
}

export const between = (from, to) => (from && to ? (new Date(to) - new Date(from)) / 1000 : null);

export const words = (name) => (name ? name.replaceAll("_", " ") : UNKNOWN);

/** Controls and marks of direction, and tags: nobody sees them, and they can make a text look like another one. */
const UNSEEN = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

const escape = (letter, number, digits) => `\\${letter}${number.toString(16).padStart(digits, "0")}`;

const escaped = (text) => text.replace(/./gs, (unit) => escape("u", unit.charCodeAt(0), 4));

/** A text with characters that are not seen, and mislead, as the escapes that JSON has for them. */
export const visible = (text) => text.replace(UNSEEN, escaped);

/** The same as escapes of Python, in which a pair of surrogates is no character. */
export const visibleInPython = (text) => text.replace(UNSEEN, (each) => escape("U", each.codePointAt(0), 8));

export const json = (value, indent = 2) => visible(JSON.stringify(value, null, indent));
