"""Every route as every person: how the answer to each is found out, on what is one's own and on another's."""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app
from itsdangerous import URLSafeTimedSerializer
from werkzeug.routing import Rule

from tests.support.api import ROOT, Caller, bearer, make_token
from tests.support.factories import save, stock_up
from tests.support.houses import drain_queue, email_of, load_person, sign_in
from tests.support.imports import check, upload
from tests.support.jobs import ask, change, look_at
from tests.support.records import ANY_VERSION, create
from webapp.database import write_transaction
from webapp.models import DataImport, User
from webapp.models.clock import db_now
from webapp.resources.registry import RESOURCES, get_resource
from webapp.services import (
    accounts,
    api_tokens,
    exports,
    imports,
    saved_exports,
    stock_counting,
    user_links,
    user_sessions,
)
from webapp.services.saved_exports import Draft
from webapp.services.user_sessions import Place

Maker = Callable[[User], str]

PEOPLE = ("viewer", "editor", "admin")
OTHER = "stranger"  # an editor, whose things are foreign to all of them
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NO_OWNER = "-"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Route:
    """One method of one address of the house."""

    rule: Rule
    method: str

    @property
    def key(self) -> str:
        """What the table calls it."""
        return f"{self.rule.endpoint} {self.method}"


def list_routes(app: Flask) -> Iterator[Route]:
    """Return every route, in the order of the application."""
    for rule in app.url_map.iter_rules():
        for method in METHODS:
            if method in (rule.methods or ()):
                yield Route(rule, method)


def observe(app: Flask, route: Route) -> str:
    """Return the row of a route as it is now: statuses for nobody and each role on their own | on another's."""
    own = [_ask(app, route, None, OTHER), *(_ask(app, route, person, person) for person in PEOPLE)]
    if not OWNED & route.rule.arguments:
        return f"{' '.join(own)} | {NO_OWNER}"
    return f"{' '.join(own)} | {' '.join(_ask(app, route, person, OTHER) for person in PEOPLE)}"


def _ask(app: Flask, route: Route, person: str | None, owner: str) -> str:
    """Return the status of one request: by one person, with a form that only says yes, on a thing of the owner's."""
    with app.app_context():
        values = {name: _fill(route.rule.endpoint, name, owner) for name in sorted(route.rule.arguments)}
    url = re.sub(r"<(?:[^>]*:)?(\w+)>", lambda place: values[place[1]], route.rule.rule)
    if url.startswith(ROOT) and route.key not in PAGES:
        return _ask_api(app, route, person, url)
    client = app.test_client()
    if person is not None:
        sign_in(client, load_person(app, person))
    with client.session_transaction() as session:
        session["csrf_token"] = "of this browser"
    form = FORMS.get(route.key, CONFIRMED) | {"csrf_token": _sign(app, "of this browser")}
    answer = client.open(url, method=route.method, data=None if route.method == "GET" else form)
    if answer.status_code == 302 and answer.headers.get("Location", "").startswith("/login"):
        return "login"
    return str(answer.status_code)


def _ask_api(app: Flask, route: Route, person: str | None, url: str) -> str:
    """Return the status of one request by a script: with the person's token, and a body that only begins."""
    headers = ANY_VERSION | (bearer(make_token(app, person)) if person is not None else {})
    body = {} if route.method in ("GET", "DELETE") else BODIES.get(route.key, {"json": {}})
    return str(app.test_client().open(url, method=route.method, headers=headers, **body).status_code)


def _sign(app: Flask, token: str) -> str:
    """Return a session's token as its forms carry it, without a page to read it from."""
    return str(URLSafeTimedSerializer(str(app.secret_key), salt="wtf-csrf-token").dumps(token))


def _fill(endpoint: str, name: str, owner: str) -> str:
    """Return what a placeholder of an address becomes: a thing made for this one request."""
    make = SPECIAL.get(f"{endpoint} {name}") or THINGS.get(name)
    assert make is not None, (
        f"add to THINGS in tests/support/matrix.py what “{name}” of {endpoint} is filled with"
    )
    return make(accounts.get_user(email_of(owner)))


def _make_record(_owner: User) -> str:
    return str(save("suppliers", {"name": f"Supplier {next(_numbers)}"})[0].record_id)


def _make_kind(kind: str) -> Maker:
    """Return what makes a record of one kind that nothing uses, as a script does it."""
    chosen = {"quantity": 0} if kind == "products" else {}

    def make(_owner: User) -> str:
        house: Any = current_app
        caller = Caller(house._get_current_object(), OTHER)
        return str(create(caller, get_resource(kind), **chosen)["id"])

    return make


def _make_job(owner: User) -> str:
    job_id = ask(owner, model_name="brands", file_format="csv")
    change(job_id, status="failed", completed_at=db_now(0))
    return look_at(job_id).task_id


def _make_file(owner: User) -> str:
    job = exports.request_export(owner, "brands", "csv")
    drain_queue()
    return job.task_id


def _make_import(owner: User) -> str:
    """Return an import that was read; its user may have been an editor once and no longer be one."""
    made = upload(accounts.get_user(email_of(OTHER)), "suppliers", f"name\nN {next(_numbers)}\n")
    with write_transaction() as session:
        session.get_one(DataImport, made.id).user_id = owner.id
    return made.public_id


def _make_import_job(owner: User) -> str:
    """Return the job of an import whose second line was refused."""
    public_id = _make_checked(owner)
    with write_transaction() as session:
        found = session.query(DataImport).filter_by(public_id=public_id).one()
        job = imports.latest_job(found)
        assert job is not None
        job.user_id = owner.id
        return job.task_id


def _make_checked(owner: User) -> str:
    """Return an import that was checked and whose second line was refused."""
    editor = accounts.get_user(email_of(OTHER))
    made = check(editor, upload(editor, "suppliers", f"name,email\nN {next(_numbers)},not an address\n"))
    with write_transaction() as session:
        session.get_one(DataImport, made.id).user_id = owner.id
    return made.public_id


def _make_saved(owner: User) -> str:
    return str(saved_exports.create_saved(owner, Draft(f"Saved {next(_numbers)}", "brands", "csv")).id)


def _make_session(owner: User) -> str:
    found = user_sessions.find_session(user_sessions.create_session(owner, Place()))
    assert found is not None
    return str(found.id)


def _make_token(owner: User) -> str:
    return str(api_tokens.create_token(owner, "till", scope="read")[0].id)


def _make_count(_owner: User) -> str:
    """Return the reference of a stock count that found one more than there was."""
    reference, serial_number = stock_counting.make_reference(), f"N-{next(_numbers)}"
    stock_up(serial_number)
    counted, editor = {serial_number: 1}, accounts.get_user(email_of(OTHER))
    stock_counting.apply_count(editor, reference, counted, reason="Found", seen={})
    return reference


def _make_link(owner: User) -> str:
    return user_links.create_link(accounts.get_user(email_of("admin")), owner.id).token


# What a placeholder is filled with, by its name.
THINGS: dict[str, Maker] = {
    "filename": lambda _: "css/page.css",
    "resource": lambda _: "suppliers",
    "record_id": _make_record,
    "reference": _make_count,
    "task_id": _make_job,
    "public_id": _make_import,
    "saved_id": _make_saved,
    "user_id": lambda owner: str(owner.id),
    "session_id": _make_session,
    "token_id": _make_token,
    "token": _make_link,
    "page": lambda _: "password-reset",
    "line": lambda _: "2",
    "action": lambda _: "deletion",
    "file_format": lambda _: "csv",
    "name": lambda _: "metrics",
}
# Where one route needs another thing than the rest: “endpoint placeholder”.
SPECIAL: dict[str, Maker] = {
    "jobs.download_file task_id": _make_file,
    "api_jobs.download_file task_id": _make_file,
    "api_jobs.list_errors task_id": _make_import_job,
    "imports_fixes.edit_row public_id": _make_checked,
    "imports_fixes.fix_row public_id": _make_checked,
    "dashboard.download_figures name": lambda _: "categories",
    **{
        f"api_{kind}.{view} record_id": _make_kind(kind)
        for kind in RESOURCES
        for view in ("show_record", "update_record", "delete_record")
    },
}
# What is sent: a yes to every question, but for what would end the part of somebody who is needed again,
# and the version at which a record was seen.
CONFIRMED = {"confirmed": "yes"}
SEEN = {"version": "1", "seen": "{}"}
FORMS: dict[str, dict[str, str]] = {
    "users.switch_user POST": {},
    "records.update_record POST": SEEN,
    "records.delete_record POST": SEEN,
}
# What a script sends; nothing but an empty object where nothing is said here.
BODIES: dict[str, dict[str, Any]] = {
    "api_exports.create_export_job POST": {"json": {"resource": "brands", "format": "csv"}},
    "api_imports.create_import_job POST": {
        "data": {"resource": "brands"},
        "content_type": "multipart/form-data",
    },
}
PAGES = {"api_docs.show GET"}  # for people, below the API's prefix
# Placeholders that name what belongs to a user.
OWNED = frozenset({"task_id", "public_id", "saved_id", "user_id", "session_id", "token_id", "token"})
