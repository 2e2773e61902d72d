/* Forms of records: what was typed is not lost by leaving the page or by closing a dialog without a word. */
"use strict";
(() => {
  const guarded = document.querySelector("form[data-guard]");
  const state = (form) => new URLSearchParams(new FormData(form)).toString();
  const beginning = guarded && state(guarded);
  let isSending = false;

  guarded?.addEventListener("submit", () => (isSending = true));
  window.addEventListener("pageshow", () => (isSending = false));
  window.addEventListener("beforeunload", (event) => {
    if (guarded && !isSending && ("changed" in guarded.dataset || state(guarded) !== beginning)) event.preventDefault();
  });

  // -- Dialogs with a form of their own ----------------------------------------------------------------

  const beginnings = new WeakMap();
  htmx.onLoad((root) => {
    const dialog = root.closest?.("dialog") ?? root.querySelector?.("dialog.dialog-form");
    const form = dialog?.querySelector("form");
    if (!form) return;
    if (!beginnings.has(dialog)) {
      beginnings.set(dialog, state(form));
      dialog.addEventListener("cancel", (event) => mayClose(dialog) || event.preventDefault());
    }
    if (root.contains(form)) form.querySelector("[data-focus]")?.focus(); // not when only an option came
  });
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest?.("[data-dialog-leave]")?.closest("dialog");
    if (dialog && mayClose(dialog)) dialog.close();
  });

  function mayClose(dialog) {
    const isSame = state(dialog.querySelector("form")) === beginnings.get(dialog);
    return isSame || window.confirm(dialog.dataset.textLeave);
  }
})();
