/* Light or dark, before the first paint: the reader's choice in this browser, else the system's. */
"use strict";
(() => {
  const KEY = "stockroom-theme";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  const read = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is blocked: the system decides
    }
  };
  const apply = () => {
    const chosen = read();
    const theme = chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light";
    root.setAttribute("data-bs-theme", theme);
  };

  root.classList.add("has-script");
  apply();
  dark.addEventListener("change", apply);
  window.addEventListener("storage", (event) => event.key === KEY && apply());
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // it holds for this page
    }
    root.setAttribute("data-bs-theme", next);
    document.dispatchEvent(new CustomEvent("theme-changed"));
  });
})();
