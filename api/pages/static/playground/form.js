// The form of a task type, made of the catalogue: its models, its input, and its options by their JSON Schema.

import { all, el, fill, one, say } from "../dom.js";
import { words } from "../format.js";
import { Picture } from "./picture.js";

const EXAMPLES = {
  summarization:
    "AskOnce answers AI requests and remembers the answers. Identical requests in flight share one job, so that the provider is paid once.",
  sentiment: "The second answer came back in a millisecond. I love it!",
  translation: "Good morning! Would you like a cup of coffee?",
  chat: "What is the capital of Portugal?",
  keywords: "PostgreSQL, Valkey and memcached keep what the workers have found.",
};
const REQUIRED = { target_language: "Portuguese" };

export class Form {
  #tasks = new Map();
  #picture;
  #texts = { ...EXAMPLES };

  /** `changed` is called after each change. */
  constructor(changed) {
    this.changed = changed;
    this.type = one("#task-type");
    this.model = one("#model");
    this.text = one("#text");
    this.options = one("#options");
    this.#picture = new Picture(changed);
    this.type.addEventListener("change", () => this.#choose());
    one("#ask").addEventListener("input", () => {
      if (!this.task.takesPicture) this.#texts[this.task.task_type] = this.text.value;
      this.changed();
    });
    one("#another").addEventListener("click", () => this.#vary());
  }

  offer(tasks) {
    for (const each of tasks) this.#tasks.set(each.task_type, { ...each, takesPicture: each.input === "picture" });
    fill(
      this.type,
      tasks.map((each) => el("option", { value: each.task_type }, words(each.task_type))),
    );
    this.#choose();
  }

  get task() {
    return this.#tasks.get(this.type.value);
  }

  #choose() {
    const { task } = this;
    fill(
      this.model,
      el("option", { value: "" }, `${task.model} (default)`),
      task.models.map((name) => el("option", { value: name }, name)),
    );
    say(
      one("#task-about"),
      `${task.description} Queue ${task.queue}, ${task.provider ?? "no provider is configured: set its API key in .env"}.`,
    );
    one("#input-text").hidden = task.takesPicture;
    one("#input-picture").hidden = !task.takesPicture;
    one("#another").hidden = task.takesPicture;
    this.text.value = this.#texts[task.task_type] ?? "";
    const required = task.options.required ?? [];
    fill(
      this.options,
      Object.entries(task.options.properties).map(([name, schema]) => field(name, schema, required.includes(name))),
    );
    this.#clear();
    this.changed();
  }

  #vary() {
    const tail = / \(\d\d:\d\d:\d\d\.\d\)$/;
    const now = new Date().toISOString().slice(11, 21);
    this.text.value = `${this.text.value.replace(tail, "")} (${now})`;
    this.#texts[this.task.task_type] = this.text.value;
    this.changed();
  }

  /** What the form asks for: `body` of predict without a file, the `file` if there is one, and the directive. */
  wanted() {
    const body = { task_type: this.type.value };
    const { file, url } = this.task.takesPicture ? this.#picture : { file: null, url: null };
    if (!file) body.input = this.task.takesPicture ? url : this.text.value;
    const options = {};
    for (const each of all("[data-kind]", this.options)) {
      const value = valueOf(each);
      if (value !== undefined) options[each.name] = value;
    }
    if (Object.keys(options).length) body.options = options;
    if (this.model.value) body.model = this.model.value;
    return { body, file, directive: one("#directive").value };
  }

  /** Return whether it can be sent; else say what is missing. */
  check() {
    this.#clear();
    const { body, file } = this.wanted();
    if (!file && !body.input?.trim()) {
      this.showProblem({
        errors: [
          {
            pointer: "/input",
            detail: this.task.takesPicture
              ? "Drop a picture, or give the address of one."
              : "Write something to ask about.",
          },
        ],
      });
      return false;
    }
    return true;
  }

  /** Show what is wrong at its field. */
  showProblem(problem) {
    const [first] = problem.errors ?? [];
    if (!first) return;
    const name = first.pointer.split("/")[2] ?? "";
    const place = first.pointer.startsWith("/options/")
      ? one(`[name="${CSS.escape(name)}"]`, this.options)
      : this.task.takesPicture
        ? one("#url")
        : this.text;
    say(one("#ask-wrong"), `${words(name || first.pointer.slice(1))}: ${first.detail}`);
    place?.setAttribute("aria-invalid", "true");
    place?.focus();
  }

  #clear() {
    say(one("#ask-wrong"), "");
    for (const each of all("[aria-invalid]", one("#ask"))) each.removeAttribute("aria-invalid");
  }
}

function field(name, schema, required) {
  const id = `option-${name}`;
  const shared = { id, name, "data-kind": schema.type, required, "aria-describedby": `${id}-about` };
  const hint = schema.default === undefined ? (required ? "required" : "not set") : `default ${schema.default}`;
  const input = schema.enum
    ? el(
        "select",
        shared,
        el("option", { value: "" }, hint),
        schema.enum.map((each) => el("option", {}, each)),
      )
    : schema.type === "array"
      ? el("textarea", { ...shared, rows: 2, placeholder: '[{"role": "user", "content": "…"}]', spellcheck: "false" })
      : el("input", {
          ...shared,
          type: schema.type === "string" ? "text" : "number",
          min: schema.minimum,
          max: schema.maximum,
          step: schema.type === "number" ? "any" : null,
          placeholder: hint,
          value: required ? REQUIRED[name] : null,
        });
  return el(
    "div",
    { class: "field" },
    el("label", { for: id, class: "name" }, words(name)),
    input,
    el("small", { id: `${id}-about` }, schema.description),
  );
}

/** Return an option's value; undefined for one that is not set. What is no JSON is sent as it is: the API says what is wrong. */
function valueOf(input) {
  const text = input.value.trim();
  if (!text) return undefined;
  const { kind } = input.dataset;
  if (kind === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
