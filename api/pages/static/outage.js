// Whether AskOnce is away, as far as this page has noticed. What noticed it, and what waits for the end, meet here.

let lasts = false;

/** Has "begins" and "over". */
export const outage = new EventTarget();

/** Tell what was seen. `away`: whether something failed as it does while AskOnce, or a server of its, is away. */
export function seen(away) {
  if (away === lasts) return;
  lasts = away;
  outage.dispatchEvent(new Event(lasts ? "begins" : "over"));
}

/** Whether an error is of that kind: no answer at all, or one that says that it is the service's fault. */
export const isOutage = (error) => error.status === 0 || error.status >= 500;

const TOO_MANY = 429;

/** Whether what was asked for is refused, and will be again until somebody changes something. */
export const isRefusal = (error) => error.status >= 400 && error.status < 500 && error.status !== TOO_MANY;
