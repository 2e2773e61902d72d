"""Somebody looks at the dashboard, again and again, while something else is measured."""

import logging
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.pages import CSRF
from tests.support.stack import Stack
from webapp import create_app
from webapp.services import accounts

EMAIL, PASSWORD = "bench@shop.example", "only for this bench, and gone with its house"
PAUSE_SECONDS = 0.05
logging.getLogger("httpx").setLevel(logging.WARNING)


class PageWatch(threading.Thread):
    """Asks for the dashboard some times a second and keeps how long each answer took."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.milliseconds: list[float] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look."""
        while not self._stopped.wait(PAUSE_SECONDS):
            started = time.perf_counter()
            self.client.get("/").raise_for_status()
            self.milliseconds.append((time.perf_counter() - started) * 1000)

    def stop(self) -> None:
        """Stop looking."""
        self._stopped.set()
        self.join()

    def percentile(self, percent: int) -> float:
        """Return how long the slowest answers but some took."""
        return statistics.quantiles(self.milliseconds, n=100)[percent - 1]


@contextmanager
def watch_pages(environment: Mapping[str, str]) -> Iterator[PageWatch]:
    """Run the web process of a house, and look at its dashboard until the block ends."""
    with create_app(dict(environment)).app_context():
        accounts.create_user(EMAIL, "viewer", PASSWORD)
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(dict(environment), Path(folder))
        stack.start_web()
        try:
            with httpx.Client(base_url=stack.url, follow_redirects=True, timeout=30) as client:
                _sign_in(client)
                watch = PageWatch(client)
                watch.start()
                try:
                    yield watch
                finally:
                    watch.stop()
        finally:
            stack.stop()


def _sign_in(client: httpx.Client) -> None:
    token = CSRF.search(client.get("/login").text)
    form = {"email": EMAIL, "password": PASSWORD, "csrf_token": token[1] if token else ""}
    client.post("/login", data=form).raise_for_status()
    if "/login" in str(client.get("/").url):
        raise RuntimeError("the dashboard does not let the bench in")
