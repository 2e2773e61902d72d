"""Number 33: the socket is lost and comes back; the pages then say what the database says, and nothing twice."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import sign_in, wait_until_true
from tests.support.browser import Visitor, open_window
from tests.support.faults import Fault
from tests.support.jobs import look_at
from tests.support.stack import Stack, procfile_command
from tests.support.trials import ROWS, Trial
from webapp.extensions import db
from webapp.models import DataImport, User

pytestmark = [pytest.mark.soak, pytest.mark.browser, pytest.mark.integration, pytest.mark.slow]

# What browsers say of a lost connection, and of nothing else.
EXPECTED = re.compile(
    r"ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)|WebSocket|htmx:(afterRequest|sendError)"
)
COUNT_TOASTS = """
  window.toastsShown = 0;
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) => {
    if (node.dataset && "toast" in node.dataset && !node.querySelector("progress")) window.toastsShown += 1;
  }))).observe(document.getElementById("toasts"), { childList: true, subtree: true });
"""
READ_MAIN = """
  (() => {
    const main = document.querySelector("main").cloneNode(true);
    main.querySelectorAll("time").forEach((time) => { time.textContent = time.dateTime; });
    return main.textContent;
  })()
"""
QUIET_MS = 6000  # longer than the page takes for all that it does after a connection came back

Cut = Callable[[Stack, list[Visitor]], AbstractContextManager[None]]


@contextmanager
def cut_the_network(stack: Stack, visitors: list[Visitor]) -> Iterator[None]:
    """The browser is offline."""
    for visitor in visitors:
        visitor.context.set_offline(True)
    yield
    for visitor in visitors:
        visitor.context.set_offline(False)


@contextmanager
def kill_the_web_process(stack: Stack, visitors: list[Visitor]) -> Iterator[None]:
    """The browser is online, and nobody answers until the process is started again."""
    web = next(item for item in stack.started if item.name == "web")
    web.process.send_signal(signal.SIGKILL)
    web.process.wait()
    yield
    stack.start("web", procfile_command("web"), PORT=str(stack.port))


@pytest.mark.parametrize("cut", [cut_the_network, kill_the_web_process], ids=["network", "web process"])
def test_33_after_a_lost_connection_the_pages_equal_the_database(
    app: Flask, stack: Stack, editor: User, browser: Browser, tmp_path: Path, cut: Cut
) -> None:
    trial, gate, job_id = _begin_import(app, stack, editor, tmp_path)
    with ExitStack() as windows:
        visitors = [windows.enter_context(open_window(browser, base_url=stack.url)) for _ in range(2)]
        with app.app_context():
            job = look_at(job_id)
            pages = _open_pages(visitors, f"/imports/{_public_id(job.data_import_id)}", "/jobs/")
            with cut(stack, visitors):
                for page in pages:
                    expect(page.locator("#connection")).to_be_visible()
                trial.open_gate(gate)
                assert trial.settle(job.id) == "completed"
            assert trial.judge(job.id) == []
        _judge_pages(visitors)


def _judge_pages(visitors: list[Visitor]) -> None:
    pages = [visitor.page for visitor in visitors]
    expect(pages[0].get_by_role("main")).to_contain_text(f"{ROWS}")
    for page in pages:
        expect(page.locator("#connection")).to_be_hidden()
        wait_until_true(page, "window.toastsShown > 0")
        page.wait_for_timeout(QUIET_MS)
    for visitor in visitors:
        assert visitor.is_marked(), "the page was reloaded"
        assert visitor.page.evaluate("window.toastsShown") == 1
        kept = _read(visitor.page)
        visitor.page.reload()
        assert kept == _read(visitor.page), "the page said something else than the database"
        assert [text for text in visitor.complaints if not EXPECTED.search(text)] == []


def _begin_import(app: Flask, stack: Stack, editor: User, tmp_path: Path) -> tuple[Trial, Fault, int]:
    """Return an import that waits at a gate in its middle."""
    folder = tmp_path / "faults"
    folder.mkdir()
    trial, gate = Trial(stack, editor, folder), Fault("after_batch", "wait", number=3)
    stack.start_web()
    with app.app_context():
        job_id = trial.ask_import()
    trial.start_worker(gate, LEASE_SECONDS="60")
    trial.wait_for_fault(gate)
    return trial, gate, job_id


def _open_pages(visitors: list[Visitor], *addresses: str) -> list[Page]:
    for visitor, address in zip(visitors, addresses, strict=True):
        sign_in(visitor.page, "/")
        visitor.page.goto(address)
        visitor.page.wait_for_load_state("networkidle")
        visitor.page.evaluate(COUNT_TOASTS)
        visitor.mark()
    return [visitor.page for visitor in visitors]


def _read(page: Page) -> str:
    """Return what the page says, with moments instead of how long ago they were."""
    page.wait_for_load_state("networkidle")
    return " ".join(str(page.evaluate(READ_MAIN)).split())


def _public_id(import_id: int | None) -> str:
    return db.session.get_one(DataImport, import_id).public_id
