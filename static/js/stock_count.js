/* Counting with a scanner: what is scanned while an answer is on its way stays in its field, and Enter is kept.
   The list itself is the server's. */
"use strict";
(() => {
  const form = document.querySelector("[data-count]");
  const scan = () => document.getElementById("scan");
  let sent = "";
  let typed = "";

  form.addEventListener("htmx:beforeRequest", (event) => {
    sent = event.detail.requestConfig.parameters.scan ?? "";
  });
  form.addEventListener("htmx:beforeSwap", () => {
    typed = scan().value === sent ? "" : scan().value;
  });
  form.addEventListener("htmx:afterSwap", () => {
    if (typed) scan().value = typed;
  });
})();
