"""Downloads: whole and in part, known again by their hash, under any name, from any store."""

import tracemalloc
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.factories import fill_shop
from tests.support.houses import MakeApp, drain_queue, load_person, sign_in
from tests.support.jobs import ask, change, look_at
from tests.support.pages import post, soup
from webapp.models.base import utc_now
from webapp.routes.downloads import build_disposition
from webapp.services import exports, files

pytestmark = pytest.mark.slow  # together they take longer than a commit should


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser of the editor's."""
    sign_in(client, load_person(app, "editor"))
    return client


def make_file(app: Flask, **options: Any) -> tuple[str, int]:
    """Export products; return the address of the file and the id of its job."""
    with app.app_context():
        fill_shop()
        asked = exports.request_export(load_person(app, "editor"), "products", "csv", **options)
        drain_queue()
        return f"/jobs/{look_at(asked.id).task_id}/download", asked.id


@pytest.fixture
def url(app: Flask) -> str:
    """The address of a finished export's file."""
    return make_file(app)[0]


def test_the_hash_is_a_strong_etag_and_a_known_file_is_not_sent_again(
    app: Flask, browser: FlaskClient, url: str
) -> None:
    whole = browser.get(url)
    with app.app_context():
        files_hash = look_at(1).sha256
    assert whole.headers["ETag"] == f'"{files_hash}"'
    again = browser.get(url, headers={"If-None-Match": whole.headers["ETag"], "Range": "bytes=0-4"})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", whole.headers["ETag"])
    assert browser.get(url, headers={"If-None-Match": '"another"'}).data == whole.data
    assert browser.get(url, headers={"If-Match": '"another"'}).status_code == 412
    assert browser.get(url, headers={"If-Match": "*"}).data == whole.data


def test_head_says_all_and_sends_nothing(browser: FlaskClient, url: str) -> None:
    whole, head = browser.get(url), browser.head(url)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Length", "ETag", "Content-Disposition", "Accept-Ranges", "Last-Modified"):
        assert head.headers[name] == whole.headers[name]
    assert head.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("wanted", "part"),
    [("bytes=0-9", slice(0, 10)), ("bytes=20-", slice(20, None)), ("bytes=-7", slice(-7, None))],
)
def test_a_broken_download_goes_on_where_it_broke(
    browser: FlaskClient, url: str, wanted: str, part: slice
) -> None:
    whole = browser.get(url)
    piece = browser.get(url, headers={"Range": wanted, "If-Range": whole.headers["ETag"]})
    assert (piece.status_code, piece.data) == (206, whole.data[part])
    start, stop, _ = part.indices(len(whole.data))
    assert piece.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(whole.data)}"
    assert piece.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-9", "If-Range": '"of another file"'},
        {"Range": "bytes=0-1,5-6"},
        {"Range": "lines=0-1"},
        {"Range": "nonsense"},
    ],
)
def test_what_is_no_usable_range_gets_the_whole_file(
    browser: FlaskClient, url: str, headers: dict[str, str]
) -> None:
    answer = browser.get(url, headers=headers)
    assert (answer.status_code, answer.data) == (200, browser.get(url).data)


def test_a_range_beyond_the_end_is_refused_with_the_length(browser: FlaskClient, url: str) -> None:
    size = len(browser.get(url).data)
    answer = browser.get(url, headers={"Range": f"bytes={size}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")


def test_a_file_is_not_there_for_others(app: Flask, url: str) -> None:
    for person, status in {"stranger": 404, "viewer": 404, "admin": 206}.items():
        client = app.test_client()
        sign_in(client, load_person(app, person))
        assert client.get(url, headers={"Range": "bytes=0-"}).status_code == status, person


def test_the_link_ends_with_its_time_even_before_the_sweep_and_the_export_runs_again_in_one_click(
    app: Flask, browser: FlaskClient
) -> None:
    url, job_id = make_file(app, fields=("title",), filters={"q": "cafe"}, sort="-title")
    page = soup(browser.get(url.removesuffix("/download")))
    assert "Download until" in page.get_text()
    with app.app_context():
        change(job_id, expires_at=utc_now())
    answer = browser.get(url)
    assert (answer.status_code, "no longer kept" in answer.text) == (404, True)
    form = soup(answer).select_one("main form[action$='/runs']")
    assert form is not None
    made = post(browser, str(form["action"]))
    drain_queue()
    assert browser.get(f"{made.headers['Location']}/download").text.splitlines() == ["title", "Café"]
    assert "expired" in soup(browser.get("/exports/")).get_text()


def test_a_job_that_ended_without_a_file_says_so(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        job_id = ask(load_person(app, "editor"), model_name="products", file_format="csv")
        change(job_id, status="failed", error_message="x")
        url = f"/jobs/{look_at(job_id).task_id}/download"
        drain_queue()
    answer = browser.get(url)
    assert (answer.status_code, "did not end with one" in answer.text) == (404, True)


def test_a_file_that_vanished_from_the_store_is_said_to_be_gone(app: Flask, browser: FlaskClient) -> None:
    url, job_id = make_file(app)
    with app.app_context():
        files.delete(look_at(job_id).file_path or "")
    assert browser.get(url).status_code == 404


def test_files_come_from_an_object_store_in_parts_too(make_app: MakeApp) -> None:
    app = make_app(STORAGE_URL="memory://shop")
    browser = app.test_client()
    sign_in(browser, load_person(app, "editor"))
    url, job_id = make_file(app)
    whole = browser.get(url)
    assert whole.text.startswith("serial_number,title,")
    assert browser.get(url, headers={"Range": "bytes=5-20"}).data == whole.data[5:21]
    with app.app_context():
        files.sweep_expired(utc_now().replace(year=2200))
        assert not files.is_kept(look_at(job_id).file_path or "exports/none")
    assert browser.get(url).status_code == 404


def test_a_large_file_is_not_held_in_memory(app: Flask, browser: FlaskClient, settings: Any) -> None:
    url, job_id = make_file(app)
    size = 64 << 20
    with app.app_context():
        path = look_at(job_id).file_path or ""
        with Path(settings.data_dir, "media", path).open("wb") as file:
            file.truncate(size)
        change(job_id, file_size=size)
    for headers, length in (({}, size), ({"Range": "bytes=1000-"}, size - 1000)):
        tracemalloc.start()
        answer = browser.get(url, headers=headers, buffered=False)
        received = sum(len(block) for block in answer.iter_encoded())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        answer.close()
        assert (received, peak < 8 << 20) == (length, True)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("products.csv", "products.csv"),
        ("café.csv", "cafe.csv"),
        ("日本.csv", ".csv"),
        ('a"b;c%41\\d.csv', "abc41d.csv"),
        ("a\r\nSet-Cookie: x=1.csv", "aSet-Cookie: x=1.csv"),
        ("../../x.csv", "....x.csv"),
        ("\u202egpj.exe", "gpj.exe"),
        ("😀", "download"),
        ("", "download"),
    ],
)
def test_any_name_is_safe_in_a_header(name: str, plain: str) -> None:
    made = build_disposition(name)
    assert made.startswith(f'attachment; filename="{plain}"')
    assert made.isascii()
    assert made.isprintable()
    kept = "".join(char for char in name if char.isprintable() and char not in "/\\")
    if kept != plain:
        assert unquote(made.partition("filename*=UTF-8''")[2]) == kept
