// Runs before anything else of the page. Holds nothing but "light" or "dark".
(function () {
  // Before the first paint, so that a chosen scheme does not flash.
  try {
    const chosen = localStorage.getItem("askonce.scheme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.scheme = chosen;
  } catch {
    // A browser that keeps nothing shows the system's scheme.
  }
  // Where one module is missing none runs, and nobody else is left to do something: such as when the network of this machine
  // changes, on which browsers give up all that is on its way. Once more is mostly enough; else somebody has to know.
  addEventListener(
    "error",
    (event) => {
      if (event.target.tagName !== "SCRIPT") return;
      if (performance.getEntriesByType("navigation")[0].type === "reload")
        document.getElementById("broken").hidden = false;
      else location.reload();
    },
    true,
  );
})();
