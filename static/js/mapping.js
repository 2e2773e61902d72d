/* The mapping form: beside each choice stand the first values of the chosen column. */
"use strict";
(() => {
  const LONGEST = 40;

  document.addEventListener("change", (event) => {
    const select = event.target.closest?.("[data-map-select]");
    if (!select) return;
    const row = select.closest("[data-map-row]");
    const samples = JSON.parse(select.form.dataset.samples);
    row.classList.toggle("is-mapped", Boolean(select.value));
    row.querySelector("[data-map-fuzzy]")?.remove();
    row.querySelector("[data-map-samples]").replaceChildren(...(samples[select.value] ?? []).map(sample));
  });

  function sample(text) {
    const place = document.createElement("span");
    place.className = "sample";
    place.textContent = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
    return place;
  }
})();
