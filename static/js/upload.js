/* The upload form: dropping a file, showing what was chosen, the size said before it travels, progress. */
"use strict";
(() => {
  const form = document.querySelector("form[data-upload]");
  const zone = form.querySelector("[data-drop-zone]");
  const input = zone.querySelector("input[type=file]");
  const chosen = zone.querySelector("[data-drop-chosen]");
  const lang = document.documentElement.lang;

  const size = (bytes) => {
    const [unit, per] = bytes < 1 << 20 ? ["kilobyte", 1024] : ["megabyte", 1 << 20];
    const format = new Intl.NumberFormat(lang, { style: "unit", unit, maximumFractionDigits: 1 });
    return format.format(bytes / per);
  };

  function show() {
    const file = input.files[0];
    zone.classList.toggle("has-file", Boolean(file));
    const isTooLarge = file && file.size > Number(input.dataset.maxMb) * 2 ** 20;
    input.setCustomValidity(isTooLarge ? input.dataset.tooLarge : "");
    zone.classList.toggle("is-invalid", Boolean(isTooLarge));
    chosen.textContent = file ? `${file.name} · ${size(file.size)}` : "";
    if (isTooLarge) chosen.textContent += ` · ${input.dataset.tooLarge}`;
  }

  input.addEventListener("change", show);
  show();
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    show();
  });

  /* The help below the form is that of the chosen resource; the chosen file stays. */
  const select = form.querySelector("select[name=resource]");
  select.addEventListener("change", () => {
    htmx.ajax("GET", `${select.dataset.helpUrl}?resource=${encodeURIComponent(select.value)}`, {
      target: "#import-fields",
      select: "#import-fields",
      swap: "outerHTML",
      source: select,
    });
  });
})();
