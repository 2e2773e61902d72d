/* A live tail of log lines. New lines are appended and nothing else moves: not the place where somebody
   reads, not what they selected. It follows the end only while the end is in sight. */
"use strict";
(() => {
  const MOST_LINES = 3000;
  const NEAR_END = 30;
  const PAUSE_MS = 500;
  const tails = new Map();

  class Tail {
    constructor(root) {
      this.root = root;
      this.list = root.querySelector(".log-lines");
      this.state = root.querySelector(".log-state");
      this.more = root.querySelector(".log-more");
      this.button = root.querySelector(".log-pause");
      this.after = this.list.dataset.last;
      this.unseen = 0;
      this.isBusy = false;
      this.isDue = false;
      this.list.addEventListener("scroll", () => this.isAtEnd() && this.showUnseen(0), { passive: true });
      this.more.addEventListener("click", () => this.goToEnd());
      this.button.addEventListener("click", () => this.setState(this.isPaused() ? "live" : "paused"));
      this.goToEnd();
      this.setState(this.list.hasAttribute("data-ended") ? "ended" : "live");
    }

    isPaused() {
      return this.root.dataset.state === "paused";
    }

    setState(name) {
      this.root.dataset.state = name;
      this.state.textContent = this.state.dataset[`text${name[0].toUpperCase()}${name.slice(1)}`];
      this.button.hidden = name === "ended";
      this.button.textContent = this.button.dataset[name === "paused" ? "textContinue" : "textPause"];
      if (name === "live") this.look();
    }

    async look() {
      if (this.root.dataset.state !== "live" || document.hidden) return;
      this.isDue = true;
      if (this.isBusy) return;
      this.isBusy = true;
      while (this.isDue && this.root.dataset.state === "live") {
        this.isDue = false;
        await this.fetchLines();
        await new Promise((done) => setTimeout(done, PAUSE_MS)); // a chatty job is read twice a second
      }
      this.isBusy = false;
    }

    async fetchLines() {
      const url = new URL(this.root.dataset.url, location.href);
      url.searchParams.set("after", this.after);
      let answer = null;
      try {
        answer = await fetch(url, { headers: { "HX-Request": "true" } });
      } catch {
        return; // the next event tries again
      }
      if (!answer.ok || answer.redirected) return;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".log-lines");
      if (!part || this.root.dataset.state === "paused") return;
      this.append([...part.querySelectorAll(".log-line")]);
      this.after = part.dataset.last;
      if (part.hasAttribute("data-more")) this.isDue = true;
      else if (part.hasAttribute("data-ended")) this.setState("ended");
    }

    append(lines) {
      if (!lines.length) return;
      const follows = this.isAtEnd() && !this.hasSelection();
      this.list.append(...lines);
      if (follows) {
        this.trim();
        this.goToEnd();
      } else {
        this.showUnseen(this.unseen + lines.length);
      }
    }

    trim() {
      const lines = this.list.querySelectorAll(".log-line");
      for (let place = 0; place < lines.length - MOST_LINES; place += 1) lines[place].remove();
    }

    isAtEnd() {
      return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_END;
    }

    hasSelection() {
      const selection = getSelection();
      return !selection.isCollapsed && this.list.contains(selection.anchorNode);
    }

    goToEnd() {
      this.list.scrollTop = this.list.scrollHeight;
      this.showUnseen(0);
    }

    showUnseen(count) {
      this.unseen = count;
      this.more.hidden = count === 0;
      this.more.textContent = this.more.dataset.text.replace("{count}", String(count));
    }
  }

  function find() {
    for (const root of tails.keys()) if (!root.isConnected) tails.delete(root);
    for (const root of document.querySelectorAll('.log:not([data-url=""])')) {
      if (!tails.has(root)) tails.set(root, new Tail(root));
    }
  }

  const lookAll = () => tails.forEach((tail) => tail.look());

  find();
  document.body.addEventListener("htmx:afterSwap", find);
  document.body.addEventListener("logs-added", lookAll);
  document.body.addEventListener("monitor-changed", lookAll); // a job's end may be all that is new
  document.addEventListener("visibilitychange", lookAll);
})();
