/* Counting with a scanner, which does not wait: what is scanned while an answer is on its way stands in a queue,
   and what is being typed stays in its field. The list itself is the server's. */
"use strict";
(() => {
  const form = document.querySelector("[data-count]");
  const scan = () => document.getElementById("scan");
  const waiting = [];
  let isBusy = false;
  let isApplying = false;
  let typed = { id: "scan", value: "" };

  /* Before htmx hears of it. Buttons that do something else than add are not held back. */
  document.addEventListener(
    "submit",
    (event) => {
      isApplying = Boolean(event.submitter?.formAction.endsWith("/"));
      const isAdding = event.target === form && !event.submitter?.name && !isApplying;
      if (!isAdding || !isBusy || !scan().value) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      waiting.push(scan().value);
      scan().value = "";
    },
    true,
  );

  /* What the list of matches asks for is none of it. */
  const onOwn = (name, react) =>
    form.addEventListener(name, (event) => event.detail.requestConfig.verb === "post" && react(event));

  onOwn("htmx:beforeRequest", (event) => {
    isBusy = true;
    if (event.detail.requestConfig.parameters.scan === scan().value) scan().value = "";
  });
  onOwn("htmx:beforeSwap", () => {
    const active = form.contains(document.activeElement) && document.activeElement.matches("input[id]");
    typed = active ? { id: document.activeElement.id, value: document.activeElement.value } : { id: "scan", value: scan().value };
  });
  onOwn("htmx:afterSwap", () => {
    isApplying = false;
    const field = document.getElementById(typed.id);
    if (field && (typed.id !== "scan" || typed.value || waiting.length)) field.value = typed.value;
  });
  onOwn("htmx:afterRequest", () => {
    isBusy = false;
    if (waiting.length) setTimeout(addNext);
  });

  /* A count is an hour's work, and nothing of it is saved before it is applied. */
  window.addEventListener("beforeunload", (event) => {
    if (!isApplying && form.querySelector("[name=counted]")) event.preventDefault();
  });

  function addNext() {
    if (isBusy || !waiting.length) return;
    const kept = scan().value;
    scan().value = waiting.shift();
    form.requestSubmit();
    scan().value = kept;
  }
})();
