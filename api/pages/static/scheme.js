// The switch between light and dark. Without a choice the system's scheme holds.

const KEPT = "askonce.scheme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function isDark() {
  const chosen = document.documentElement.dataset.scheme;
  return chosen ? chosen === "dark" : dark.matches;
}

/** Let a button switch, and call `changed` whenever the colours are others. */
export function switchWith(button, changed) {
  const say = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    const chosen = isDark() ? "light" : "dark";
    document.documentElement.dataset.scheme = chosen;
    try {
      localStorage.setItem(KEPT, chosen);
    } catch {
      // It holds until the page is left.
    }
    say();
    changed();
  });
  dark.addEventListener("change", () => {
    say();
    changed();
  });
  say();
}
