// Does something again and again: not while the page is hidden, and less often while it fails.

const LONGEST_SECONDS = 30;

export class Poll {
  #timer = null;
  #running = false;
  #busy = null;
  #failures = 0;

  /** `task` takes an AbortSignal, and may be a coroutine. `failed` takes its error. */
  constructor(task, every, failed) {
    this.task = task;
    this.every = every;
    this.failed = failed;
    document.addEventListener("visibilitychange", () => this.#seen());
  }

  start() {
    this.#running = true;
    this.#failures = 0;
    return this.now();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#busy?.abort();
    this.#busy = null;
  }

  /** Do it at once; what still runs is given up. */
  async now() {
    clearTimeout(this.#timer);
    this.#busy?.abort();
    const mine = (this.#busy = new AbortController());
    try {
      await this.task(mine.signal);
      this.#failures = 0;
    } catch (error) {
      if (mine.signal.aborted) return;
      this.#failures += 1;
      this.failed(error);
    }
    if (this.#busy !== mine) return;
    this.#busy = null;
    this.#plan();
  }

  #plan() {
    if (!this.#running || document.hidden) return;
    const pause = Math.min(LONGEST_SECONDS, this.every * 2 ** this.#failures);
    this.#timer = setTimeout(() => this.now(), pause * 1000);
  }

  #seen() {
    clearTimeout(this.#timer);
    if (this.#running && !document.hidden && !this.#busy) this.now();
  }
}
