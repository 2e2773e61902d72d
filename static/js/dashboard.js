/* What the dashboard remembers and hands out: the days to show, which tables are open, pictures of charts. */
"use strict";
(() => {
  const DAYS = "stockroom-days";
  const OPEN = "stockroom-open-numbers";
  let oldTimer = null;

  const read = (key, otherwise) => JSON.parse(localStorage.getItem(key) ?? "null") ?? otherwise;

  const canvasOf = (name) => document.querySelector(`canvas[data-name="${name}"]`);

  function settle() {
    // Tables stand open for whoever has no script; with charts above them they are shut until asked for.
    const open = new Set(read(OPEN, []));
    for (const details of document.querySelectorAll(".chart-data")) {
      details.open = open.has(details.id);
      details.dataset.settled = "";
    }
    const days = String(read(DAYS, 30));
    for (const choice of document.querySelectorAll("[data-days-of] input")) choice.checked = choice.value === days;
    for (const group of document.querySelectorAll("[data-days-of]")) {
      canvasOf(group.dataset.daysOf).dataset.last = days;
    }
    document.dispatchEvent(new Event("chart-changed"));
    waitForAge();
  }

  /* Figures that nobody refreshes grow old before the reader's eyes: the page is asked for again, with its sign. */
  function waitForAge() {
    clearTimeout(oldTimer);
    const oldAt = document.getElementById("dashboard").dataset.oldAt;
    if (!oldAt) return;
    const wait = Math.max(1000, Date.parse(oldAt) - Date.now() + 1000);
    oldTimer = setTimeout(() => document.body.dispatchEvent(new Event("figures-are-old")), wait);
  }

  function savePicture(button) {
    const chart = canvasOf(button.dataset.chartPng);
    const picture = document.createElement("canvas");
    picture.width = chart.width;
    picture.height = chart.height;
    const paint = picture.getContext("2d");
    paint.fillStyle = getComputedStyle(chart.closest(".card")).backgroundColor;
    paint.fillRect(0, 0, picture.width, picture.height);
    paint.drawImage(chart, 0, 0);
    picture.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${button.dataset.chartPng}-${new Date().toISOString().slice(0, 10)}.png`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chart-png]");
    if (button) savePicture(button);
    const summary = event.target.closest(".chart-data > summary");
    if (summary) setTimeout(rememberOpen); // it opens after the click
  });
  const rememberOpen = () =>
    localStorage.setItem(OPEN, JSON.stringify([...document.querySelectorAll(".chart-data[open]")].map((item) => item.id)));
  document.addEventListener("change", (event) => {
    if (!event.target.closest("[data-days-of]")) return;
    localStorage.setItem(DAYS, event.target.value);
    settle();
  });
  document.body.addEventListener("htmx:afterSwap", (event) => event.detail.target?.id === "dashboard" && settle());
  settle();
})();
