// Makes elements. What comes from a request is only ever text, with what is not seen in it as escapes: nothing here, or
// anywhere else, parses markup.

import { visible } from "./format.js";

/** Return an element. `props`: attributes, and listeners by their events in `on`; what is null or false is left out. */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...nodes(children));
  return made;
}

/** Texts and elements, without those that are null or false. */
function nodes(children) {
  const shown = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  return shown.map((child) => (child instanceof Node ? child : document.createTextNode(visible(String(child)))));
}

export const one = (selector, within = document) => within.querySelector(selector);

export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Show these children, and no others, in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** Announce something, or nothing: only where it says something new, because it is read out. */
export function announce(element, child) {
  if (element.textContent !== (child?.textContent ?? "")) fill(element, child);
}

/** Set a text only where it changes, so that a selection in it survives. */
export function say(element, text) {
  const shown = visible(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/** A definition list of facts; those without a value are left out. */
export function facts(entries) {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

/** A block of text with a button that copies it, as it is. */
export function code(text, name) {
  const said = el("button", { type: "button", class: "plain", "aria-label": `Copy ${name}` }, "Copy");
  said.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "Copied";
    } catch {
      said.textContent = "Select and copy";
    }
    setTimeout(() => {
      said.textContent = "Copy";
    }, 1500);
  });
  return el(
    "div",
    { class: "code" },
    el("pre", { class: "block", tabindex: 0, role: "group", "aria-label": name }, text),
    said,
  );
}
