/* Inputs that hold the key of another record: a combobox with type-ahead (the ARIA pattern: the list is asked of
   the server, nothing is chosen without a key or a click), and "create new" in a dialog that keeps this form. */
"use strict";
(() => {
  const PAUSE_MS = 150;
  const timers = new WeakMap();
  const box = (input) => document.getElementById(`${input.id}-options`);
  const options = (input) => [...box(input).querySelectorAll("[role=option]")];
  const active = (input) => document.getElementById(input.getAttribute("aria-activedescendant") ?? "");
  const isOpen = (input) => input.getAttribute("aria-expanded") === "true";
  const scopeOf = (input) => document.getElementById(input.dataset.referenceScope ?? "")?.value.trim() ?? "";
  const said = (input) => input.closest("[data-reference-box]").querySelector("[data-reference-said]");
  const referenceOf = (event) => event.target.closest?.("[data-reference]");

  htmx.onLoad((root) => {
    const found = root.matches?.("[data-reference]") ? [root] : root.querySelectorAll("[data-reference]");
    for (const input of found) {
      const states = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false" };
      states["aria-controls"] = `${input.id}-options`;
      for (const [name, value] of Object.entries(states)) input.setAttribute(name, value);
      input.setAttribute("hx-sync", "this:replace");
      if (said(input) && input.value) fetchOptions(input).then(() => say(input));
    }
  });

  // -- Saying what a key means: a number alone tells little ------------------------------------------

  function say(input) {
    const option = options(input).find((item) => same(item.dataset.value ?? "", input.value.trim()));
    const words = [...(option?.querySelectorAll(".option-title, .option-stock") ?? [])];
    said(input).textContent = words.map((word) => word.textContent).join(" · ");
  }
  document.addEventListener("input", (event) => {
    const input = referenceOf(event);
    if (input && said(input)) say(input);
  });

  // -- Asking and showing ---------------------------------------------------------------------------

  document.addEventListener("input", (event) => {
    const input = referenceOf(event);
    if (input && event.isTrusted) askSoon(input, PAUSE_MS);
  });
  document.addEventListener("click", (event) => {
    const input = referenceOf(event);
    if (input && !isOpen(input)) askSoon(input, 0);
  });

  function askSoon(input, pause) {
    clearTimeout(timers.get(input));
    timers.set(input, setTimeout(() => ask(input), pause));
  }

  async function ask(input) {
    const asked = input.value;
    await fetchOptions(input);
    if (said(input)) say(input);
    if (document.activeElement === input && input.value === asked) open(input);
  }

  function fetchOptions(input) {
    const url = `${input.dataset.reference}?${new URLSearchParams({ q: input.value, scope: scopeOf(input) })}`;
    return htmx.ajax("GET", url, { source: input, target: box(input), swap: "innerHTML" }).catch(() => {});
  }

  function open(input) {
    const list = box(input);
    offerToCreate(input, list);
    options(input).forEach((option, place) => (option.id = `${list.id}-${place}`));
    point(input, null);
    input.setAttribute("aria-expanded", "true");
    if (!list.matches(":popover-open")) list.showPopover();
    place(input);
    document.getElementById("say-status").textContent = list.querySelector("[data-option-said]")?.textContent ?? "";
  }

  function offerToCreate(input, list) {
    const typed = input.value.trim();
    const isThere = options(input).some((option) => same(option.dataset.value, typed));
    if (!typed || isThere || !newLink(input)) return;
    const option = document.createElement("li");
    option.className = "option option-create";
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.textContent = input.dataset.textCreate.replace("{value}", typed);
    list.append(option);
  }

  const same = (one, other) => one.localeCompare(other, undefined, { sensitivity: "accent" }) === 0;
  const newLink = (input) => input.closest("[data-reference-box]").querySelector("[data-reference-new]");

  /* Under its input, or above it where there is more room. */
  function place(input) {
    const list = box(input);
    const { left, width, top, bottom } = input.getBoundingClientRect();
    const below = window.innerHeight - bottom;
    const isAbove = below < Math.min(list.scrollHeight, 280) && top > below;
    list.style.left = `${left}px`;
    list.style.width = `${width}px`;
    list.style.maxHeight = `${Math.min(280, (isAbove ? top : below) - 12)}px`;
    list.style.top = isAbove ? "auto" : `${bottom + 4}px`;
    list.style.bottom = isAbove ? `${window.innerHeight - top + 4}px` : "auto";
  }
  for (const name of ["scroll", "resize"]) {
    window.addEventListener(name, () => {
      const input = document.activeElement;
      if (input?.matches?.("[data-reference]") && isOpen(input)) place(input);
    }, { capture: true, passive: true });
  }

  function close(input) {
    clearTimeout(timers.get(input));
    input.setAttribute("aria-expanded", "false");
    point(input, null);
    const list = box(input);
    if (list.matches(":popover-open")) list.hidePopover();
  }
  document.addEventListener("focusout", (event) => {
    const input = referenceOf(event);
    if (input) close(input);
  });

  /* Whoever types faster than the list comes has no use for it any more: a scanner, above all. */
  document.addEventListener(
    "submit",
    (event) => event.target.querySelectorAll("[data-reference]").forEach(close),
    true,
  );

  // -- Choosing -------------------------------------------------------------------------------------

  function point(input, option) {
    for (const other of options(input)) other.setAttribute("aria-selected", String(other === option));
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function step(input, by) {
    const all = options(input);
    if (!all.length) return;
    const at = all.indexOf(active(input));
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length;
    point(input, all[next]);
  }

  function choose(input, option) {
    close(input);
    if (option.classList.contains("option-create")) return void create(input);
    take(input, option.dataset.value, option.dataset.scope);
  }

  function take(input, value, scope) {
    set(input, value);
    const other = document.getElementById(input.dataset.referenceScope ?? "");
    if (other) set(other, scope);
    if ("referenceSubmit" in input.dataset) input.form.requestSubmit();
  }

  function set(input, value) {
    input.value = value;
    for (const name of ["input", "change"]) input.dispatchEvent(new Event(name, { bubbles: true }));
  }

  document.addEventListener("keydown", (event) => {
    const input = referenceOf(event);
    if (!input || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (isOpen(input)) step(input, event.key === "ArrowDown" ? 1 : -1);
      else askSoon(input, 0);
    } else if (isOpen(input) && event.key === "Enter" && active(input)) {
      event.preventDefault();
      choose(input, active(input));
    } else if (isOpen(input) && event.key === "Escape") {
      event.preventDefault(); // a dialog around it stays open
      event.stopImmediatePropagation();
      close(input);
    }
  }, true);
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest?.(".reference-list")) event.preventDefault(); // the input keeps the focus
  });
  document.addEventListener("click", (event) => {
    const option = event.target.closest?.(".reference-list [role=option]");
    if (option) choose(option.closest("[data-reference-box]").querySelector("[data-reference]"), option);
  });

  // -- Creating what is missing ------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-reference-new]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    create(link.closest("[data-reference-box]").querySelector("[data-reference]"));
  });

  async function create(input) {
    const words = new URLSearchParams({ q: input.value.trim(), scope: scopeOf(input) });
    const layer = document.createElement("div");
    document.body.append(layer);
    await htmx
      .ajax("GET", `${newLink(input).getAttribute("href")}?${words}`, { source: layer, target: layer, swap: "innerHTML" })
      .catch(() => {});
    const dialog = layer.querySelector("dialog");
    if (!dialog) return void layer.remove();
    dialog.showModal();
    layer.addEventListener("record-created", (event) => {
      take(input, event.detail.key, event.detail.scope);
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      layer.remove();
      input.focus();
    });
  }
})();
