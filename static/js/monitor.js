/* The monitor: ticks, folds and scroll that outlive a refresh. */
"use strict";
(() => {
  const LIST = "monitor-jobs";
  const body = document.body;
  const ticked = new Set();
  const folds = new Map();
  let scrolled = null;

  // -- Ticked rows --------------------------------------------------------------------------------

  const ticks = () => [...document.querySelectorAll(".tick")];

  function showTicks() {
    const bulk = document.getElementById("bulk");
    if (!bulk) return;
    const boxes = ticks();
    for (const box of boxes) box.checked = ticked.has(box.value);
    const page = document.getElementById("tick-page");
    const count = boxes.filter((box) => box.checked).length;
    if (page) {
      page.checked = boxes.length > 0 && count === boxes.length;
      page.indeterminate = count > 0 && count < boxes.length;
    }
    bulk.classList.toggle("has-ticked", count > 0);
    showCount(bulk, count);
  }

  function showCount(bulk, count) {
    const place = bulk.querySelector(".bulk-count");
    const everything = bulk.querySelector("#tick-everything");
    place.textContent = everything?.checked
      ? place.dataset.textAll
      : count
        ? place.dataset.textTicked.replace("{count}", count.toLocaleString(document.documentElement.lang))
        : place.dataset.textNone;
    for (const button of bulk.querySelectorAll("button")) button.disabled = !count && !everything?.checked;
  }

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.id === "tick-page") {
      for (const item of ticks()) keep(item.value, box.checked);
    } else if (box.matches?.(".tick")) {
      keep(box.value, box.checked);
    } else if (box.id !== "tick-everything") {
      return;
    }
    showTicks();
  });
  const keep = (value, isTicked) => (isTicked ? ticked.add(value) : ticked.delete(value));

  // -- What a refresh leaves as it was --------------------------------------------------------------

  let wantsEverything = false;
  body.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (!target?.querySelectorAll) return;
    const isRefresh = event.detail.requestConfig?.triggeringEvent?.type === "monitor-changed";
    if (target.id === LIST) wantsEverything = isRefresh && target.querySelector("#tick-everything")?.checked;
    const scroller = target.querySelector(".table-scroll");
    scrolled = isRefresh && scroller ? { id: target.id, top: scroller.scrollTop, left: scroller.scrollLeft } : null;
    for (const item of target.querySelectorAll("details[id]")) folds.set(item.id, item.open);
  });
  body.addEventListener("htmx:afterSwap", (event) => {
    for (const [id, isOpen] of folds) document.getElementById(id)?.toggleAttribute("open", isOpen);
    const everything = document.getElementById("tick-everything");
    if (everything && event.detail.target?.id === LIST) everything.checked = Boolean(wantsEverything);
    if (scrolled) document.getElementById(scrolled.id)?.querySelector(".table-scroll")?.scrollTo(scrolled);
    scrolled = null;
    showTicks();
  });

  // -- The zone of the times ------------------------------------------------------------------------

  /* The browser knows one zone more than the server: its own. */
  function offerOwnZone() {
    const choice = document.getElementById("zone");
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!choice || !own) return;
    const label = choice.dataset.textHere.replace("{zone}", own);
    const known = [...choice.options].find((option) => option.value === own);
    if (known) return;
    choice.add(new Option(label, own));
  }

  offerOwnZone();
  showTicks();
})();
