/* The mapping form: beside each choice stand the first values of the chosen column, and the columns that no
   choice uses are listed as ignored. What is changed after a check must be checked again. */
"use strict";
(() => {
  const LONGEST = 40;

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("#mapping");
    if (!form) return;
    const select = event.target.closest("[data-map-select]");
    if (select) showSamples(select);
    if (select) showUnused(form);
  });
  document.addEventListener("input", (event) => event.target.closest?.("#mapping") && needCheck());

  function showSamples(select) {
    const row = select.closest("[data-map-row]");
    const samples = JSON.parse(select.form.dataset.samples);
    row.classList.toggle("is-mapped", Boolean(select.value));
    row.querySelector("[data-map-by]")?.remove();
    row.querySelector("[data-map-samples]").replaceChildren(...(samples[select.value] ?? []).map(sample));
  }

  function sample(text) {
    const place = document.createElement("span");
    place.className = "sample";
    place.textContent = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
    return place;
  }

  function showUnused(form) {
    const used = new Set([...form.querySelectorAll("[data-map-select]")].map((select) => select.value));
    for (const item of form.querySelectorAll("[data-unused-column]")) {
      item.hidden = used.has(item.dataset.unusedColumn);
    }
  }

  function needCheck() {
    const apply = document.querySelector("form[data-apply]");
    if (!apply) return;
    apply.querySelector("[data-apply-stale]").hidden = false;
    for (const button of apply.querySelectorAll("button")) button.disabled = true;
  }
})();
