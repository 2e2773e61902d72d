/* Lists: ticked rows, counted and kept while the list is paged or sorted; everything on the page at once, and with
   Shift all between two ticks. What the toolbar has asked for already is not asked for again. */
"use strict";
(() => {
  const ticked = new Set();
  let isAll = false; // everything that matches, on whatever page
  const ticks = () => [...document.querySelectorAll("#records .tick")];
  const bulk = () => document.getElementById("bulk");

  function showTicks() {
    const form = bulk();
    if (!form) return;
    const boxes = ticks();
    for (const box of boxes) box.checked = isAll || ticked.has(box.value);
    keepOthers(form, new Set(boxes.map((box) => box.value)));
    const page = document.getElementById("tick-page");
    const count = boxes.filter((box) => box.checked).length;
    page.checked = boxes.length > 0 && count === boxes.length;
    page.indeterminate = count > 0 && count < boxes.length;
    showCount(form);
  }

  /* Those of other pages go with the form, too. */
  function keepOthers(form, shown) {
    for (const input of form.querySelectorAll("input[name=ids]")) input.remove();
    for (const value of ticked) {
      if (shown.has(value)) continue;
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name: "ids", value });
      form.append(input);
    }
  }

  function showCount(form) {
    const place = form.querySelector(".bulk-count");
    form.querySelector("#tick-everything").checked = isAll;
    const count = ticked.size.toLocaleString(document.documentElement.lang);
    place.textContent = isAll ? place.dataset.textAll : place.dataset.textTicked.replace("{count}", count);
    form.toggleAttribute("data-shown", isAll || ticked.size > 0); // a class would be undone as the rows settle
  }

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.id === "tick-everything") {
      isAll = box.checked;
    } else if (box.id === "tick-page") {
      keepAll(ticks(), box.checked);
    } else if (box.matches?.("#records .tick")) {
      if (isAll) keepAll(ticks(), true); // all but this one: of this page, because no form can name the others
      keep(box.value, box.checked);
      isAll = false;
    } else {
      return;
    }
    showTicks();
  });
  const keep = (value, isTicked) => (isTicked ? ticked.add(value) : ticked.delete(value));
  function keepAll(boxes, isTicked) {
    isAll = false;
    for (const box of boxes) keep(box.value, isTicked);
  }

  document.addEventListener("click", (event) => {
    const box = event.target;
    if (box.closest?.("#untick")) untick();
    if (!box.matches?.("#records .tick")) return;
    const boxes = ticks();
    const [from, to] = [boxes.findIndex((item) => item.value === last), boxes.indexOf(box)].sort((a, b) => a - b);
    last = box.value;
    if (!event.shiftKey || from < 0) return;
    keepAll(boxes.slice(from, to + 1), box.checked);
    showTicks();
  });
  let last = "";

  /* The bar goes, and whoever used it by key is where the ticks are. */
  function untick() {
    forget();
    showTicks();
    document.querySelector("#tick-page, #records .tick")?.focus();
  }
  function forget() {
    ticked.clear();
    isAll = false;
  }

  /* A field that is left says "changed" of what was searched for while it was typed, or chosen from its list. To ask
     again would take from under the hand what is being ticked or opened. */
  const toolbar = document.getElementById("toolbar");
  const controls = () => [...toolbar.elements].filter((item) => item.name && item.type !== "hidden");
  const state = () => JSON.stringify(controls().map((item) => (item.type === "checkbox" ? item.checked : item.value)));
  let asked = state();
  toolbar.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target !== toolbar) return;
    const now = state();
    if (now === asked && event.detail.requestConfig.triggeringEvent?.type === "change") event.preventDefault();
    asked = now;
  });

  /* What a cell is too narrow for is told by the pointer. */
  document.addEventListener("mouseover", (event) => {
    const cell = event.target.closest?.("#records td");
    if (!cell) return;
    if (cell.scrollWidth > cell.clientWidth) cell.title = cell.innerText;
    else cell.removeAttribute("title");
  });

  /* Another search or filter is another list: what was ticked in the one before would go unseen. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "records") return;
    if (event.detail.requestConfig?.elt?.id === "toolbar") forget();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id === "records" || document.getElementById("records")) showTicks();
  });

  showTicks();
})();
