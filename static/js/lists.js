/* Lists: ticked rows, counted and kept while the list is paged or sorted; everything on the page at once. */
"use strict";
(() => {
  const ticked = new Set();
  const ticks = () => [...document.querySelectorAll("#records .tick")];
  const bulk = () => document.getElementById("bulk");

  function showTicks() {
    const form = bulk();
    if (!form) return;
    const boxes = ticks();
    for (const box of boxes) box.checked = ticked.has(box.value);
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
    const isAll = form.querySelector("#tick-everything").checked;
    const count = ticked.size.toLocaleString(document.documentElement.lang);
    place.textContent = isAll
      ? place.dataset.textAll
      : ticked.size
        ? place.dataset.textTicked.replace("{count}", count)
        : place.dataset.textNone;
    for (const button of form.querySelectorAll("button")) button.disabled = !ticked.size && !isAll;
  }

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.id === "tick-page") {
      for (const item of ticks()) keep(item.value, box.checked);
    } else if (box.matches?.("#records .tick")) {
      keep(box.value, box.checked);
    } else if (box.id !== "tick-everything") {
      return;
    }
    showTicks();
  });
  const keep = (value, isTicked) => (isTicked ? ticked.add(value) : ticked.delete(value));

  /* Another search or filter is another list: what was ticked in the one before would go unseen. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "records") return;
    if (event.detail.requestConfig?.elt?.id === "toolbar") ticked.clear();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id === "records" || document.getElementById("records")) showTicks();
  });

  showTicks();
})();
