/* Keys for the monitor: j and k walk through the list, x ticks, / searches, ? tells them. They move the real
   focus, so that Enter opens and a screen reader follows. The letters can be switched off. */
"use strict";
(() => {
  const SWITCH = "stockroom-monitor-keys";
  const SEARCH = "#monitor-filters [name=q], .log-toolbar [name=q], .log-filter [name=q]";
  const dialog = document.getElementById("keys");
  const box = document.getElementById("keys-on");
  if (!dialog || !box) return;

  const rows = () => [...document.querySelectorAll("#monitor-jobs tbody tr")];
  const rowOf = (element) => element.closest?.("#monitor-jobs tbody tr");

  function move(step) {
    const all = rows();
    const here = all.indexOf(rowOf(document.activeElement));
    const next = here < 0 ? all[step > 0 ? 0 : all.length - 1] : all[here + step];
    const link = next?.querySelector(".row-link");
    link?.focus();
    link?.scrollIntoView({ block: "nearest" });
  }

  const ACTIONS = {
    j: () => move(1),
    k: () => move(-1),
    x: () => rowOf(document.activeElement)?.querySelector(".tick")?.click(),
  };

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      const action = event.key === "?" ? open : event.key === "/" ? search : box.checked && ACTIONS[event.key];
      if (!action || action() === false) return;
      event.preventDefault();
      event.stopPropagation(); // "/" is the shop's search everywhere else
    },
    true,
  );
  const isTyping = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");

  function search() {
    const field = document.querySelector(SEARCH);
    if (!field) return false;
    field.focus();
    field.select();
    return true;
  }

  function open() {
    dialog.showModal();
  }

  document.getElementById("keys-button")?.addEventListener("click", open);
  dialog.querySelector("[data-keys-close]").addEventListener("click", () => dialog.close());
  try {
    box.checked = localStorage.getItem(SWITCH) !== "off";
    box.addEventListener("change", () => localStorage.setItem(SWITCH, box.checked ? "on" : "off"));
  } catch {
    // without a memory of the browser's they are on at each visit
  }
})();
