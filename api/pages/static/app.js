// The page: one view at a time, named by the address, and the key that all of them use.

import { all, one, say } from "./dom.js";
import { hasKey, keys, mayBeKey, useKey } from "./api.js";
import { parse } from "./route.js";
import { switchWith } from "./scheme.js";
import * as overview from "./overview/view.js";
import * as playground from "./playground/view.js";
import * as requests from "./requests/view.js";
import * as jobs from "./jobs/view.js";

const VIEWS = new Map(Object.entries({ overview, playground, requests, jobs }));

let shown = null;

/** Whether the API would answer: where it asks for keys, only once there is one. */
const mayAsk = () => document.body.dataset.keys !== "on" || hasKey();

function route() {
  const { name, id, query } = parse(location.hash);
  const known = VIEWS.has(name) ? name : "overview";
  const view = VIEWS.get(known);
  if (shown && shown !== view) shown.hide();
  const moved = shown !== null;
  shown = view;
  for (const section of all("main > section")) section.hidden = section.id !== `view-${known}`;
  for (const link of all(".views a")) {
    if (link.dataset.view === known) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (mayAsk()) view.show({ id, query });
  const heading = one(`#view-${known} h1:not([hidden] *)`) ?? one(`#view-${known} h1`);
  document.title = `${heading.textContent} · AskOnce`;
  if (moved) {
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function askForKeys() {
  const form = one("#key-form");
  const field = one("#key");
  const said = one("#key-said");
  const open = one("#key-open");
  const toggle = (visible) => {
    form.hidden = !visible;
    open.setAttribute("aria-expanded", String(visible));
    if (visible) field.focus();
  };
  open.hidden = document.body.dataset.keys !== "on";
  open.addEventListener("click", () => toggle(form.hidden));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text && !mayBeKey(text)) {
      say(said, "This is no API key: keys have no spaces, accents or other special characters. Copy it again.");
      field.focus();
      return;
    }
    useKey(text);
    field.value = "";
    say(said, "");
    say(open, hasKey() ? "Change key" : "Enter key");
    toggle(false);
    shown.hide();
    if (mayAsk()) shown.show(parse(location.hash));
  });
  one("#key-forget").addEventListener("click", () => location.reload());
  keys.addEventListener("wanted", () => {
    say(said, hasKey() ? "AskOnce does not know this key, or it is no longer valid." : "");
    say(open, "Enter key");
    if (form.hidden) toggle(true);
  });
  if (!open.hidden) toggle(true);
}

switchWith(one("#scheme"), () => shown?.repaint?.());
askForKeys();
addEventListener("hashchange", route);
route();
