// How AskOnce is: asked all the time for a view that shows it, else from the first failure of anything on.

import { get } from "./api.js";
import { outage, seen } from "./outage.js";
import { Poll } from "./poll.js";

let watcher = null;

const health = new Poll(
  async (signal) => {
    const found = await get("/api/v1/health", { signal });
    watcher?.shown(found);
    if (!watcher && found.status === "ok") health.stop();
    seen(found.status !== "ok");
  },
  5,
  (error) => watcher?.failed(error),
  { steady: true },
);

outage.addEventListener("begins", () => health.startLater());

/** Call `shown` with each answer, and `failed` with each error, until the next view. */
export function watch(shown, failed) {
  watcher = { shown, failed };
  health.start();
}

/** Nobody looks any more; the end of an outage is still waited for. */
export function unwatch() {
  watcher = null;
}
