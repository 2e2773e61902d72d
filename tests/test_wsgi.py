"""The web process: it starts on what it is given, and ends when it is told."""

import signal
import threading
from contextlib import suppress

import httpx
import pytest
from flask import Flask

from tests.support.houses import PASSWORD, email_of
from tests.support.pages import CSRF
from tests.support.processes import find_marked, free_port, wait_until
from tests.support.stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.slow]
STOP_SECONDS = 5  # what honcho grants


@pytest.mark.parametrize("server", ["eventlet", "threading"])
def test_a_busy_web_process_ends_when_it_is_told(app: Flask, stack: Stack, server: str) -> None:
    stack.environment["ASYNC_MODE"] = server
    codes = []
    for _ in range(3):  # a signal meets whatever happens to run: one try would often meet nothing
        web = stack.start_web()
        crowd = [threading.Thread(target=open_sockets, args=(stack.url,)) for _ in range(3)]
        for thread in crowd:
            thread.start()
        with pytest.raises(Exception, match="timed out"):
            web.process.wait(1)
        web.process.send_signal(signal.SIGTERM)
        codes.append(web.process.wait(STOP_SECONDS))
        for thread in crowd:
            thread.join()
    assert codes == [0, 0, 0]


def open_sockets(url: str) -> None:
    """Sign in, and open one socket after the other until nobody answers any more."""
    with suppress(httpx.TransportError), httpx.Client(base_url=url, timeout=3) as client:
        token = CSRF.search(client.get("/login").text)
        assert token is not None
        client.post(
            "/login", data={"email": email_of("editor"), "password": PASSWORD, "csrf_token": token.group(1)}
        )
        while True:
            opened = client.get("/socket.io/", params={"EIO": 4, "transport": "polling"})
            if opened.status_code == 200:
                query: dict[str, str | int] = {
                    "EIO": 4,
                    "transport": "polling",
                    "sid": opened.text.split('"')[3],
                }
                client.post("/socket.io/", params=query, content="40")
                client.get("/socket.io/", params=query)


def test_a_wrong_setting_is_said_in_a_sentence(stack: Stack) -> None:
    started = stack.start("web", ["python", "wsgi.py"], LEASE_SECONDS="soon")
    assert started.process.wait(30) == 1
    assert started.output().strip() == (
        "Stockroom cannot start: LEASE_SECONDS is “soon”, which cannot be used:"
        " could not convert string to float: 'soon'."
    )


@pytest.mark.parametrize("server", ["eventlet", "threading"])
def test_a_web_process_leaves_with_the_honcho_that_started_it(app: Flask, stack: Stack, server: str) -> None:
    stack.environment["ASYNC_MODE"] = server
    port = free_port()
    pair = stack.start("pair", ["honcho", "start", "-e", "/dev/null", "web"], PORT=str(port))
    wait_until(lambda: answers(port), lambda: f"web is silent:\n{pair.output()}", patience=60)
    pair.process.kill()
    pair.process.wait()
    wait_until(lambda: not answers(port), lambda: "it holds its port", patience=20)
    wait_until(lambda: not find_marked(stack.mark), lambda: "something of the pair stays", patience=20)


def test_a_web_process_leaves_when_its_honcho_was_killed_before_it_looked(app: Flask, stack: Stack) -> None:
    pair = stack.start("pair", ["honcho", "start", "-e", "/dev/null", "web"], PORT=str(free_port()))
    wait_until(lambda: "web.1 started" in pair.output(), lambda: "honcho starts nothing", patience=60)
    pair.process.kill()
    pair.process.wait()
    wait_until(lambda: not find_marked(stack.mark), lambda: "something of the pair stays", patience=60)


def answers(port: int) -> bool:
    """Whether somebody serves there."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False
