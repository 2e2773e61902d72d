"""What a page says of the last action looks like what it is: done, refused, or a hint."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.houses import load_person, sign_in
from tests.support.pages import post, soup

pytestmark = pytest.mark.slow  # together they take longer than a commit should


@pytest.mark.parametrize(
    ("path", "sent", "looks", "mark"),
    [
        ("sessions/deletion", {}, ["notice", "notice-done"], "circle-check"),
        ("role", {"role": "viewer"}, ["notice", "notice-warning"], "alert-triangle"),
    ],
)
def test_what_was_done_and_what_was_refused_differ(
    app: Flask, client: FlaskClient, path: str, sent: dict[str, str], looks: list[str], mark: str
) -> None:
    admin, editor = load_person(app, "admin"), load_person(app, "editor")
    sign_in(client, admin)
    user = editor if path.startswith("sessions") else admin  # of whom there must be one
    post(client, f"/users/{user.id}/{path}", data=sent)
    _check(client, f"/users/{user.id}", looks, mark)


def test_a_hint_is_neither(app: Flask, client: FlaskClient) -> None:
    sign_in(client, load_person(app, "editor"))
    post(client, "/brands/bulk", data={"action": "delete"})
    _check(client, "/brands/", ["notice"], "info-circle")


def _check(client: FlaskClient, address: str, looks: list[str], mark: str) -> None:
    (notice,) = soup(client.get(address)).select("main .notice")
    assert notice["class"] == looks
    assert str(notice.select_one("use")["href"]).endswith(f"#icon-{mark}")  # type: ignore[index]  # there is one
    assert soup(client.get(address)).select("main .notice") == []
