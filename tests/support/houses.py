"""A house of its own for a test: settings, a migrated database with four people in it, an application."""

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import fields
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import func, select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from config import Settings
from tasks.queue import bell, huey
from webapp import create_app
from webapp.extensions import db
from webapp.models import Product, User
from webapp.routes import live
from webapp.services import accounts, files, product_moves, stock, user_sessions
from webapp.services.product_quantities import QUANTITIES
from webapp.services.user_sessions import Place

SECRET_KEY = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"
PASSWORD = "correct horse battery staple"
PEOPLE = {"admin": "admin", "editor": "editor", "stranger": "editor", "viewer": "viewer"}
EVERY_VARIABLE = tuple(item.name.upper() for item in fields(Settings))

Environment = dict[str, str]
MakeApp = Callable[..., Flask]
Builder = Callable[..., tuple[str, str]]
_builders: dict[tuple[Any, ...], Builder] = {}


def email_of(person: str) -> str:
    """Return the address with which one of the people signs in."""
    return f"{person}@shop.example"


def base_environment(data_dir: Path) -> Environment:
    """Return every setting: empty, so that no .env of this checkout plays a part, but for the needed ones."""
    data_dir.mkdir(parents=True, exist_ok=True)
    needed = {"DATA_DIR": str(data_dir), "SECRET_KEY": SECRET_KEY, "APP_ENV": "development"}
    return dict.fromkeys(EVERY_VARIABLE, "") | needed


class KeptRule(Rule):
    """A route's rule that compiles what makes its addresses once in a process: most of what a house takes."""

    def _compile_builder(self, append_unknown: bool = True) -> Builder:  # noqa: FBT001, FBT002 - as in werkzeug
        parts = (*self._trace, *(self.defaults or {}).items())
        key = (self.rule, self.subdomain, self.host, append_unknown, repr(parts))
        if key not in _builders:
            _builders[key] = super()._compile_builder(append_unknown)
        return _builders[key]


def build_house(environment: Mapping[str, str]) -> Flask:
    """Return an application for the test's own process: on threads, because nothing is patched here."""
    Flask.url_rule_class = KeptRule
    app = create_app({**environment, "ASYNC_MODE": "threading"})
    live.init_app(app)
    app.test_client_class = Client
    app.jinja_env.bytecode_cache = (
        FileSystemBytecodeCache()
    )  # each house compiles its templates anew otherwise
    return app


def furnish(app: Flask) -> None:
    """Migrate the database as a deployment does, and let the people in. Slow on purpose: hashes."""
    with app.app_context():
        upgrade()
        for person, role in PEOPLE.items():
            accounts.create_user(email_of(person), role, PASSWORD)


def close_house(app: Flask) -> None:
    """Leave no connection behind."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def copy_sqlite(template: Path, data_dir: Path) -> None:
    """Give a house the database of the template, which is closed and in one file."""
    shutil.copyfile(template, data_dir / "stockroom.db")


def fold_wal(path: Path) -> None:
    """Bring all of a closed SQLite database into its one file."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def load_person(app: Flask, person: str) -> User:
    """Return one of the people, detached: fit to be an actor."""
    with app.app_context():
        return accounts.get_user(email_of(person))


class Client(FlaskClient):
    """Flask's client, whose requests know nothing of the test's own application context, as in real life."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Make one request, with its own context, session and ``g``."""
        kwargs.setdefault("buffered", True)
        return Context().run(super().open, *args, **kwargs)


def sign_in(client: FlaskClient, user: User) -> None:
    """Give a client the session that signing in makes, without the slow hash."""
    with client.application.app_context():
        key = user_sessions.create_session(user, Place("127.0.0.1", "test"))
    with client.session_transaction() as session:
        session["_user_id"] = key
        session["_fresh"] = True


def list_quantities_gone_astray() -> list[int]:
    """Return the products whose quantity is another one in the table beside them, which PostgreSQL alone has."""
    if db.engine.dialect.name != "postgresql":
        return []
    query = select(func.coalesce(Product.id, QUANTITIES.c.product_id)).select_from(Product)
    query = query.outerjoin(QUANTITIES, QUANTITIES.c.product_id == Product.id, full=True)
    return list(db.session.scalars(query.where(Product.quantity.is_distinct_from(QUANTITIES.c.quantity))))


def check_invariants(app: Flask) -> None:
    """Hold the house to what must be true after whatever happened in it."""
    with app.app_context():
        assert stock.verify_stock() == [], "a product's quantity is not the sum of its movements"
        assert list_quantities_gone_astray() == [], (
            "the order of quantities is another one than that of products"
        )
        unnoted = db.session.scalars(product_moves.list_unnoted()).all()
        assert unnoted == [], "products that the filter of what stands still would miss"
        media = Path(app.extensions["stockroom_settings"].data_dir) / "media"
        kept = [path.relative_to(media).as_posix() for path in media.glob("*/*")] if media.exists() else []
        orphans = [path for path in kept if not files._is_named(path)]
        assert orphans == [], "files that no row names"
        db.session.remove()


def drain_queue() -> int:
    """Do what the messages in the queue ask for, in this process, until none is left; return how many."""
    done = 0
    assert bell.wait(5), "the queue does not take messages"
    while huey.pending_count():  # asked first: with Redis an empty queue is waited at
        Context().run(huey.execute, huey.dequeue())
        done += 1
    return done


def remove_folder(folder: Path) -> None:
    """Delete a house's folder with all that is in it."""
    shutil.rmtree(folder)
