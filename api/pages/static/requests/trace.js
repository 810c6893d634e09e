// A trace that a call, or a job, is in, as a link to all its requests.

import { el } from "../dom.js";
import { address } from "../route.js";

/** Return the link; null where there is no trace. */
export function traceOf({ trace_id: id }) {
  return id && el("a", { href: address("requests", { query: { trace_id: id } }), class: "mono" }, id);
}
