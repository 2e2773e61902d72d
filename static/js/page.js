/* What every page does: menus that close, questions, the token on htmx's requests, ages that stay true, errors shown,
   things to copy. */
"use strict";
(() => {
  const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

  // -- htmx ---------------------------------------------------------------------------------------

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = csrfToken();
    const form = event.target.closest?.("[data-skip-empty]");
    if (form) dropEmpty(event.detail.parameters);
  });

  /* An address with only what narrows the list is one to share. */
  function dropEmpty(parameters) {
    for (const [name, value] of [...parameters.entries()]) {
      if (value === "") parameters.delete(name);
    }
  }

  /* Signed out meanwhile: the answer is the sign-in page. It must not land inside this one. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const login = document.body.dataset.loginUrl;
    const answered = event.detail.xhr.responseURL;
    if (login && answered && new URL(answered).pathname === login) {
      event.detail.shouldSwap = false;
      document.getElementById("signed-out")?.removeAttribute("hidden");
      document.body.dispatchEvent(new CustomEvent("signed-out"));
    }
  });

  document.addEventListener("htmx:responseError", (event) => {
    if (isAutomatic(event)) return;
    const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    showError(text(page, "[data-error-title]"), text(page, "[data-error-advice]"));
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (!isAutomatic(event)) showError("", document.getElementById("toast-error-text")?.dataset.offline);
  });

  /* A refresh that nobody asked for fails in silence: the next one may work. */
  const isAutomatic = (event) =>
    !["click", "submit", "change", "input"].includes(event.detail.requestConfig?.triggeringEvent?.type);
  const text = (page, selector) => page.querySelector(selector)?.textContent.trim() ?? "";

  function showError(title, detail) {
    const template = document.getElementById("toast-error");
    const stack = document.getElementById("toasts");
    const words = document.getElementById("toast-error-text")?.dataset;
    if (!template || !stack || !words) return;
    const card = template.content.firstElementChild.cloneNode(true);
    card.querySelector(".toast-title").textContent = title || words.title;
    card.querySelector(".toast-detail").textContent = detail || words.detail;
    card.dataset.say = "alert";
    stack.append(card);
    document.body.dispatchEvent(new CustomEvent("toasts-added"));
  }

  // -- Menus: <details> that behave like menus ------------------------------------------------------

  const openMenus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) {
      const inside = menu.contains(event.target);
      if (!inside || event.target.closest("a.menu-item")) menu.open = false;
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const menu = event.target.closest?.("details.menu");
    if (menu) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
      event.stopImmediatePropagation();
    }
    if (location.hash === "#sidebar") location.replace("#main");
  });

  // -- Questions: <dialog>s that htmx puts into #question -------------------------------------------

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "question") return;
    const dialog = event.detail.target.querySelector("dialog");
    if (!dialog) return;
    dialog.showModal();
    dialog.addEventListener("close", () => dialog.remove());
  });
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest?.("[data-dialog-close]")?.closest("dialog");
    if (!dialog) return;
    event.preventDefault();
    dialog.close();
  });

  // -- Keys ---------------------------------------------------------------------------------------

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const control = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
    if (!control) return;
    event.preventDefault();
    control.focus();
    control.select?.();
  });
  const isTyping = (target) => target.closest?.("input, textarea, select, [contenteditable]");

  // -- Forms --------------------------------------------------------------------------------------

  document.addEventListener("change", (event) => {
    event.target.closest("form[data-submit-on-change]")?.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const button = event.submitter?.closest?.("[data-busy]");
    if (!button || event.defaultPrevented) return;
    // After the form was read, so that the button's own name and value are sent.
    setTimeout(() => {
      button.disabled = true;
      button.textContent = button.dataset.busy;
    });
  });
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());

  // -- Copy ---------------------------------------------------------------------------------------

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const text = button.dataset.copyText ?? source?.textContent ?? "";
    if (!(await copy(text))) return;
    button.classList.add("is-done");
    const region = document.getElementById("say-status");
    if (region) region.textContent = button.dataset.done;
    setTimeout(() => button.classList.remove("is-done"), 1500);
  });

  /* Over plain HTTP from another machine there is no clipboard interface: then the old way. */
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      document.body.append(area);
      area.select();
      const isDone = document.execCommand("copy");
      area.remove();
      return isDone;
    }
  }

  // -- Ages ---------------------------------------------------------------------------------------

  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short", numeric: "always" });
  function updateAges() {
    for (const time of document.querySelectorAll("time[data-relative]")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      const unit = UNITS.find(([, size]) => seconds >= size);
      if (unit) time.textContent = words.format(-Math.floor(seconds / unit[1]), unit[0]).replace(".", "");
    }
  }
  setInterval(updateAges, 20_000);

  document.addEventListener("DOMContentLoaded", () => document.querySelector("[data-focus]")?.focus());
})();
