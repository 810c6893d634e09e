// Does something again and again: not while the page is hidden, less often while it fails, and at once after an outage.

import { isOutage, isRefusal, outage, seen } from "./outage.js";

const LONGEST_SECONDS = 30;

export class Poll {
  #timer = null;
  #running = false;
  #busy = null;
  #failures = 0;

  /**
   * `task` takes an AbortSignal, and may be a coroutine. `failed` takes its error. A `steady` one does not slow down when it
   * fails, and waits for no end of an outage: it is the one that notices it.
   */
  constructor(task, every, failed, { steady = false } = {}) {
    this.task = task;
    this.every = every;
    this.failed = failed;
    this.steady = steady;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.#timer);
      if (!this.#busy) this.#goOn();
    });
    // What is on its way may have been sent into the outage.
    if (!steady) outage.addEventListener("over", () => this.#goOn());
  }

  start() {
    this.#running = true;
    this.#failures = 0;
    return this.now();
  }

  /** Start with a pause. */
  startLater() {
    this.#running = true;
    this.#failures = 0;
    if (!this.#busy) this.#plan();
  }

  stop() {
    this.#running = false;
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#busy?.abort();
    this.#busy = null;
  }

  /** Do it at once; what still runs is given up. */
  async now() {
    clearTimeout(this.#timer);
    this.#busy?.abort();
    const mine = (this.#busy = new AbortController());
    let error = null;
    try {
      // A connection into nowhere would be waited for for minutes, without a word.
      await this.task(AbortSignal.any([mine.signal, AbortSignal.timeout(LONGEST_SECONDS * 1000)]));
    } catch (caught) {
      error = caught;
    }
    if (this.#busy !== mine) return;
    this.#busy = null;
    this.#failures = error ? this.#failures + 1 : 0;
    if (error) this.#fail(error);
    this.#plan();
  }

  #fail(error) {
    this.failed(error);
    if (isOutage(error)) seen(true);
    // Whoever changes something starts it again.
    else if (isRefusal(error)) this.stop();
  }

  #plan() {
    clearTimeout(this.#timer);
    if (!this.#running || document.hidden) return;
    const pause = this.steady ? this.every : Math.min(LONGEST_SECONDS, this.every * 2 ** this.#failures);
    this.#timer = setTimeout(() => this.now(), pause * 1000);
  }

  /** Do it now if it runs, or if it was to be done once and has failed. */
  #goOn() {
    if (!document.hidden && (this.#running || this.#failures > 0)) this.now();
  }
}
