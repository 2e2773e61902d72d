/* Toasts: cards that htmx puts into #toasts. What they say is also said in the live regions, as text.
   Good news leaves by itself, errors stay; a card that was on the page before is shown on the next one. */
"use strict";
(() => {
  const SHORTEST_MS = 6000;
  const MS_PER_LETTER = 70;
  const MOST_VISIBLE = 3;
  const KEY = "stockroom-toasts-" + document.body.dataset.user;
  const stack = () => document.getElementById("toasts");
  const cards = () => [...stack().querySelectorAll("[data-toast]")];
  const timers = new WeakMap();
  let restoring = new Set();

  document.body.addEventListener("htmx:afterSwap", (event) => stack().contains(event.detail.target) && settle());
  document.body.addEventListener("toasts-added", settle);
  document.addEventListener("click", (event) => {
    const card = event.target.closest?.("[data-toast]");
    if (card && event.target.closest("[data-toast-close], a")) close(card);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && cards().length) close(cards().at(-1));
  });
  document.addEventListener("visibilitychange", () => cards().forEach(schedule));

  /* Look at what is in the stack: new cards are announced and get their time, old ones of the same job go. */
  function settle() {
    for (const card of cards()) {
      if (card.dataset.settled) continue;
      card.dataset.settled = "yes";
      for (const other of cards()) {
        if (other !== card && other.dataset.settled && other.id && other.id === card.id) other.remove();
      }
      if (!restoring.delete(card.dataset.taskId)) say(card);
      if (isInSight(card.dataset.taskId)) delete card.dataset.keep;
      for (const name of ["pointerenter", "pointerleave", "focusin", "focusout"]) {
        card.addEventListener(name, () => schedule(card));
      }
      schedule(card);
    }
    limit();
    remember();
  }

  /* The page of the job itself says it all: its card need not stay, nor follow to the next page. */
  const isInSight = (taskId) => Boolean(taskId && document.querySelector(`[data-job="${CSS.escape(taskId)}"]`));

  /* Text nodes only, into regions that were on the page before. */
  function say(card) {
    const region = document.getElementById(card.dataset.say === "alert" ? "say-alert" : "say-status");
    const parts = card.querySelectorAll(".toast-title, .toast-detail");
    const line = [...parts].map((part) => part.textContent.replace(/\s+/g, " ").trim()).join(". ");
    if (region) region.textContent = line;
  }

  function schedule(card) {
    clearTimeout(timers.get(card));
    const isHeld = card.matches(":hover") || card.contains(document.activeElement) || document.hidden;
    if ("keep" in card.dataset || isHeld) return;
    const letters = card.querySelector(".toast-text")?.textContent.trim().length ?? 0;
    timers.set(card, setTimeout(() => close(card), Math.max(SHORTEST_MS, MS_PER_LETTER * letters)));
  }

  function close(card) {
    clearTimeout(timers.get(card));
    if (card.contains(document.activeElement)) document.getElementById("main")?.focus({ preventScroll: true });
    card.classList.add("is-leaving");
    setTimeout(() => {
      card.remove();
      limit();
      remember();
    }, 160);
  }

  /* The newest few are shown, the rest is a link to the list of them all. */
  function limit() {
    const all = cards();
    const hidden = Math.max(0, all.length - MOST_VISIBLE);
    all.forEach((card, place) => card.toggleAttribute("hidden", place < hidden));
    let more = stack().querySelector(".toast-more");
    if (!hidden) return void more?.remove();
    if (!more) {
      more = document.createElement("a");
      more.className = "toast-more";
      more.href = stack().dataset.moreUrl;
      stack().prepend(more);
    }
    more.textContent = stack().dataset.textMore.replace("{count}", hidden);
  }

  function remember() {
    const left = cards().filter((card) => !card.classList.contains("is-leaving"));
    const ids = left.map((card) => card.dataset.taskId).filter((taskId) => taskId && !isInSight(taskId));
    try {
      sessionStorage.setItem(KEY, JSON.stringify(ids));
    } catch {
      // nothing is carried over
    }
  }

  /* Ask the server for a card, such as that of a job's end. Each has a place of its own: htmx lets one element ask for
     one thing at a time. */
  const show = (taskId) =>
    showFrom(document.body.dataset.toastUrl.replace("00000000-0000-0000-0000-000000000000", taskId));

  function showFrom(url) {
    const place = document.createElement("div");
    stack().append(place);
    htmx
      .ajax("GET", url, { source: place, target: place, swap: "outerHTML" })
      .finally(() => place.remove())
      .then(settle);
  }

  function restore() {
    let kept = [];
    try {
      kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    } catch {
      // nothing to restore
    }
    restoring = new Set(kept);
    kept.forEach(show);
  }

  window.stockroomToasts = { show, showFrom };
  restore();
})();
