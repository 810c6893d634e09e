// Runs before anything else of the page. Holds nothing but "light" or "dark".
(function () {
  // Before the first paint, so that a chosen scheme does not flash.
  try {
    const chosen = localStorage.getItem("askonce.scheme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.scheme = chosen;
  } catch {
    // A browser that keeps nothing shows the system's scheme.
  }
  // Where one module is missing none runs, and nobody else is left to say so.
  addEventListener(
    "error",
    (event) => {
      if (event.target.tagName === "SCRIPT") document.getElementById("broken").hidden = false;
    },
    true,
  );
})();
