/* The page of an import: existing names are offered while one is typed (without this script the first names
   are), and whoever listens instead of looking hears when a step is done. */
"use strict";
(() => {
  const PAUSE_MS = 200;
  const timers = new WeakMap();

  for (const name of ["input", "focusin"]) {
    document.addEventListener(name, (event) => {
      const input = event.target.closest?.("[data-suggest]");
      if (!input) return;
      clearTimeout(timers.get(input));
      timers.set(input, setTimeout(() => suggest(input), PAUSE_MS));
    });
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    const region = document.getElementById("say-status");
    if (event.target.id === "import-state" && event.target.dataset.say) region.textContent = event.target.dataset.say;
  });

  function suggest(input) {
    htmx.ajax("GET", `${input.dataset.suggest}?q=${encodeURIComponent(input.value)}`, {
      source: input,
      target: input.list,
      swap: "innerHTML",
    });
  }
})();
