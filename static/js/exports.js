/* The form of an export: columns are moved by buttons instead of numbers, and ticked all at once. */
"use strict";
(() => {
  const list = document.querySelector("[data-columns]");
  if (!list) return;
  const said = document.querySelector("[data-column-said]");

  for (const part of document.querySelectorAll(".column-moves, [data-column-all]")) part.hidden = false;
  for (const place of list.querySelectorAll(".column-place")) place.hidden = true;
  for (const hint of document.querySelectorAll(".without-script")) hint.hidden = true;
  number();

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    const row = button.closest("[data-column]");
    if (button.dataset.move === "-1") row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    number();
    // At an end the pressed button can do no more: the other one takes the keys.
    const next = button.disabled ? row.querySelector("[data-move]:not(:disabled)") : button;
    next?.focus();
    const place = [...list.children].indexOf(row) + 1;
    said.textContent = list.dataset.moved.replace("{name}", row.dataset.column).replace("{place}", place);
  });

  document.querySelector("[data-column-all]").addEventListener("click", (event) => {
    const ticked = event.target.closest("[data-tick]")?.dataset.tick;
    if (!ticked) return;
    for (const box of list.querySelectorAll("input[type=checkbox]")) box.checked = ticked === "all";
    list.dispatchEvent(new Event("change", { bubbles: true }));
  });

  function number() {
    const rows = [...list.children];
    rows.forEach((row, index) => {
      row.querySelector(".column-place").value = index + 1;
      row.querySelector('[data-move="-1"]').disabled = index === 0;
      row.querySelector('[data-move="1"]').disabled = index === rows.length - 1;
    });
  }
})();
