/* Live updates: the socket only says "look again". Each event becomes a DOM event for which the page's
   fragments wait: job-<id>, jobs-changed, metrics-updated, stock-low, and for administrators monitor-changed (anybody's
   job) and logs-added. Without a socket a slow clock does the same. */
"use strict";
(() => {
  const body = document.body;
  const LAST_ID = "stockroom-last-event-" + body.dataset.user;
  const POLL_MS = 15_000;
  const LOST_AFTER_MS = 3000;
  const PROGRESS_MS = 1000;
  const MONITOR_MS = 2000;
  const LOW_STOCK_MS = 5000;
  const ENDINGS = new Set(["job_completed", "job_failed", "job_cancelled"]);
  const JOB_EVENTS = [...ENDINGS, "job_progress", "job_retrying"];
  let lastId = readLastId() ?? Number(body.dataset.lastEvent); // a window's first page knows what it was made after
  let wasLost = false;
  const toldByBell = new Set(); // ends that a page without a socket has shown

  function readLastId() {
    try {
      const kept = sessionStorage.getItem(LAST_ID);
      return kept === null ? null : Number(kept);
    } catch {
      return null;
    }
  }

  function keepLastId(id) {
    lastId = id;
    try {
      sessionStorage.setItem(LAST_ID, String(id));
    } catch {
      // a reload starts from what its page was made after
    }
  }

  const tell = (name) => body.dispatchEvent(new CustomEvent(name));

  /* Call at once, then at most once in a while, and never lose the last call. */
  function throttle(action, pause) {
    let timer = null;
    let isDue = false;
    const run = () => {
      timer = null;
      if (!isDue) return;
      isDue = false;
      action();
      timer = setTimeout(run, pause);
    };
    return () => {
      isDue = true;
      if (timer === null) run();
    };
  }

  const tellJobsChanged = throttle(() => tell("jobs-changed"), 1000);
  const tellJob = new Map();
  function tellProgress(taskId) {
    if (!tellJob.has(taskId)) tellJob.set(taskId, throttle(() => tell(`job-${taskId}`), PROGRESS_MS));
    tellJob.get(taskId)();
  }

  // -- Events -------------------------------------------------------------------------------------

  function onJob(name, data) {
    moveBars(data);
    if (name === "job_progress") {
      tellProgress(data.task_id);
      return;
    }
    tell(`job-${data.task_id}`);
    tellJobsChanged();
    // Once more: a fragment that was just being fetched cannot hear it, and its answer may be the state before.
    setTimeout(() => {
      tell(`job-${data.task_id}`);
      tellJobsChanged();
    }, 1200);
    // What the bell found first is told by the socket once more when it is back.
    const isTold = ENDINGS.has(name) && toldByBell.delete(data.task_id);
    if (ENDINGS.has(name) && isNews(name, data) && !isTold) window.stockroomToasts?.show(data.task_id);
  }

  const tellMonitor = throttle(() => tell("monitor-changed"), MONITOR_MS);
  const tellLogs = throttle(() => tell("logs-added"), 500);
  let quietTimer = null;
  function onAnyJob(data) {
    tellMonitor();
    if (data.task_id) {
      moveBars(data);
      tellProgress(data.task_id);
    }
    clearTimeout(quietTimer); // once more at the end, for what was being fetched meanwhile
    quietTimer = setTimeout(() => {
      if (data.task_id) tell(`job-${data.task_id}`);
      tellMonitor();
    }, 1200);
  }

  /* A file can make a thousand products low: their one card is asked for at once, then now and then. */
  const showLowStock = throttle(() => {
    if (body.dataset.lowStockUrl) window.stockroomToasts?.showFrom(body.dataset.lowStockUrl);
  }, LOW_STOCK_MS);
  const tellStockLow = throttle(() => tell("stock-low"), 1000);
  function tellLowStock() {
    tellStockLow();
    showLowStock();
  }

  /* A file that was read leads straight on to the mapping, and a check that somebody waits for to its report;
     the administrator's system jobs are not news. */
  const isNews = (name, data) =>
    !["metrics", "maintenance"].includes(data.task_type) &&
    (data.task_type !== "import_inspect" || name === "job_failed") &&
    (data.task_type !== "import_check" || !document.querySelector(`[data-job="${CSS.escape(data.task_id)}"]`));

  function moveBars(data) {
    if (!data.total) return;
    const done = Math.min(data.processed, data.total);
    for (const bar of document.querySelectorAll(`progress[data-task-id="${CSS.escape(data.task_id)}"]`)) {
      bar.max = data.total;
      bar.value = done;
      const shown = bar.closest(".bar")?.querySelector("[data-processed]");
      if (shown) shown.textContent = done.toLocaleString(document.documentElement.lang);
    }
  }

  function receive(name, action) {
    socket.on(name, (data) => {
      if (data.id <= lastId) return;
      keepLastId(data.id);
      action(data);
    });
  }

  // -- Connection ---------------------------------------------------------------------------------

  const socket = io({ auth: (send) => send({ last_id: lastId }) });
  for (const name of JOB_EVENTS) receive(name, (data) => onJob(name, data));
  receive("metrics_updated", () => tell("metrics-updated"));
  receive("jobs_changed", onAnyJob);
  receive("logs_added", tellLogs);
  receive("stock_low", tellLowStock);
  socket.on("hello", (data) => lastId > data.last_id && keepLastId(data.last_id));

  let lostTimer = null;
  socket.on("connect", () => {
    clearTimeout(lostTimer);
    lostTimer = null;
    if (wasLost) {
      wasLost = false;
      showConnection("live", body.dataset.textLive);
      announce(body.dataset.textBack);
      setTimeout(lookAgain, Math.random() * 3000); // not all pages of the house in one moment
      setTimeout(() => socket.connected && hideConnection(), 4000);
    }
  });
  socket.on("disconnect", (reason) => {
    lose();
    // The server closes it when the rights of its user change: whoever may still listen comes back with others.
    if (reason === "io server disconnect") socket.connect();
  });
  socket.on("connect_error", () => {
    lose();
    // Refused, not unreachable: this session has ended, which any answer of the server says.
    if (!socket.active) lookAgain();
  });
  window.addEventListener("offline", lose);
  window.addEventListener("online", () => socket.connect());
  body.addEventListener("signed-out", () => socket.disconnect());
  window.addEventListener("pagehide", () => clearTimeout(lostTimer));

  function lose() {
    if (lostTimer !== null || wasLost) return;
    lostTimer = setTimeout(() => {
      lostTimer = null;
      wasLost = true;
      const words = navigator.onLine ? body.dataset.textReconnecting : body.dataset.textOffline;
      showConnection(navigator.onLine ? "lost" : "offline", words);
      announce(words);
    }, LOST_AFTER_MS);
  }

  const connection = () => document.getElementById("connection");
  function showConnection(state, words) {
    const place = connection();
    if (!place) return;
    place.hidden = false;
    place.dataset.state = state;
    place.textContent = words;
  }
  const hideConnection = () => connection()?.setAttribute("hidden", "");
  function announce(words) {
    const region = document.getElementById("say-status");
    if (region) region.textContent = words;
  }

  // -- Without a socket ---------------------------------------------------------------------------

  function lookAgain() {
    for (const name of ["jobs-changed", "metrics-updated", "monitor-changed", "logs-added"]) tell(name);
  }
  setInterval(() => !socket.connected && !document.hidden && lookAgain(), POLL_MS);

  /* The bell that comes back names what ended unread: without a socket that is how a toast is found. */
  let known = unread();
  let knownLow = newestLow();
  function newestLow() {
    return Number(document.getElementById("bell")?.dataset.lowStock ?? 0);
  }
  function unread() {
    return new Set((document.getElementById("bell")?.dataset.unread ?? "").split(" ").filter(Boolean));
  }
  body.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "bell" && event.detail.target?.id !== "bell") return;
    const now = unread();
    if (!socket.connected) {
      for (const taskId of now) {
        if (known.has(taskId)) continue;
        toldByBell.add(taskId);
        window.stockroomToasts?.show(taskId);
      }
      if (newestLow() > knownLow) showLowStock();
    }
    knownLow = Math.max(knownLow, newestLow());
    known = new Set([...known, ...now]);
  });
})();
