// Runs before the first paint, so that a chosen scheme does not flash. Holds nothing but "light" or "dark".
(function () {
  try {
    const chosen = localStorage.getItem("askonce.scheme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.scheme = chosen;
  } catch {
    // A browser that keeps nothing shows the system's scheme.
  }
})();
