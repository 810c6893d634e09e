// A list of records that is read again and again: filters from a form and the address, newest first, older ones on demand.

import { get, withQuery } from "./api.js";
import { all, el, fill, one, say } from "./dom.js";
import { count } from "./format.js";
import { isRefusal } from "./outage.js";
import { Poll } from "./poll.js";
import { note } from "./route.js";
import { Alert, empty } from "./states.js";

const PAGE = 50;

export class List {
  #older = [];
  #cursor = null;
  #filters = {};
  #shown = "";

  /** `name`: of the view and of the member with the records; `columns`, `row`: of the table; `none`: what to say of nothing. */
  constructor({ name, path, every, columns, row, none }) {
    Object.assign(this, { name, path, columns, row, none });
    this.form = one(`#${name}-filter`);
    this.table = one(`#${name}-table`);
    this.more = one(`#${name}-more`);
    this.said = one(`#${name}-said`);
    this.live = one(`#${name}-live`);
    this.alert = new Alert(one(`#${name}-alert`));
    this.poll = new Poll(
      (signal) => this.#read(signal),
      every,
      (error) => this.#failed(error),
    );
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", () => this.#filtered());
    this.form.addEventListener("reset", () => setTimeout(() => this.#filtered()));
    this.more.addEventListener("click", () => this.#readOlder());
    this.live.addEventListener("change", () => (this.live.checked ? this.poll.start() : this.poll.stop()));
  }

  show(query) {
    this.#filters = {};
    for (const field of all("[name]", this.form)) {
      field.value = query[field.name] ?? "";
      if (field.selectedIndex === -1) field.value = "";
      if (field.value) this.#filters[field.name] = field.value;
    }
    this.#restart();
  }

  hide() {
    this.poll.stop();
  }

  #filtered() {
    this.#filters = {};
    for (const field of all("[name]", this.form))
      if (field.value.trim()) this.#filters[field.name] = field.value.trim();
    note(this.name, this.#filters);
    this.#restart();
  }

  #restart() {
    this.#older = [];
    this.#cursor = null;
    this.#shown = "";
    this.alert.clear("older");
    for (const field of all("[aria-invalid]", this.form)) field.removeAttribute("aria-invalid");
    if (this.live.checked) this.poll.start();
    else this.poll.now();
  }

  async #read(signal) {
    const page = await get(withQuery(this.path, { ...this.#filters, limit: PAGE }), { signal });
    this.alert.clear();
    const records = page[this.name];
    if (!this.#older.length) this.#cursor = page.next_cursor;
    this.#draw(records);
  }

  async #readOlder() {
    this.more.disabled = true;
    this.alert.clear("older");
    try {
      const page = await get(withQuery(this.path, { ...this.#filters, limit: PAGE, cursor: this.#cursor }));
      this.#older.push(...page[this.name]);
      this.#cursor = page.next_cursor;
      this.live.checked = false;
      this.poll.stop();
      this.#draw(this.latest);
    } catch (error) {
      this.#failed(error, "older");
    }
    this.more.disabled = false;
  }

  #draw(records) {
    this.latest = records;
    const known = new Set(records.map((each) => each.id ?? each.job_id));
    const shown = [...records, ...this.#older.filter((each) => !known.has(each.id ?? each.job_id))];
    this.more.hidden = !this.#cursor;
    say(this.said, `${count(shown.length)} shown`);
    // What is read or selected stays as it is while nothing is new.
    const now = JSON.stringify(shown);
    if (now === this.#shown) return;
    this.#shown = now;
    if (!shown.length) {
      fill(
        this.table,
        Object.keys(this.#filters).length
          ? empty("Nothing matches these filters", "Clear some of them, or wait: the list is live.")
          : this.none(),
      );
      return;
    }
    const focused = this.table.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const head = this.columns.map(([name, kind]) => el("th", { scope: "col", class: kind }, name));
    fill(
      this.table,
      el(
        "table",
        { class: "cards" },
        el("thead", {}, el("tr", {}, head)),
        el(
          "tbody",
          {},
          shown.map((each) => this.row(each)),
        ),
      ),
    );
    const again = all("a", this.table).find((link) => link.getAttribute("href") === focused);
    again?.focus({ preventScroll: true });
  }

  /** Show no records, where those that are shown are not the ones that are asked for. */
  #forget() {
    this.#shown = "";
    fill(this.table);
    say(this.said, "");
    this.more.hidden = true;
  }

  #failed(error, from) {
    this.alert.show(error, () => this.#restart(), from);
    if (isRefusal(error) && !from) this.#forget();
    for (const each of error.errors ?? []) {
      const field = one(`[name="${CSS.escape(each.pointer.slice(1))}"]`, this.form);
      if (field) field.setAttribute("aria-invalid", "true");
    }
  }
}
