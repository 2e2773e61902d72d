"""Saved profiles: what a person decided about one supplier's files, by name, for the next one."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from webapp.database import write_transaction
from webapp.errors import Conflict, Invalid, NotFound
from webapp.extensions import db
from webapp.models import DataImport, ImportProfile, User
from webapp.models.base import utc_now
from webapp.pipeline.mapping import normalise
from webapp.resources.base import N_
from webapp.resources.types import Problem, clean_text
from webapp.services.accounts import require_role
from webapp.services.import_mapping import list_ignored
from webapp.services.imports import get_import

LARGEST_NAME = 100


def list_profiles(actor: User, resource: str) -> Sequence[ImportProfile]:
    """Return the actor's profiles for files of one kind of record, by name."""
    query = select(ImportProfile).where(ImportProfile.user_id == actor.id, ImportProfile.resource == resource)
    return db.session.scalars(query.order_by(ImportProfile.name)).all()


def save_profile(actor: User, public_id: str, name: str) -> ImportProfile:
    """Keep an import's mapping, options and dates under a name; one of the same name is replaced."""
    require_role(actor, "editor")
    name = clean_text(name)
    if not name or len(name) > LARGEST_NAME:
        problem = Problem(N_("The name needs between one and %(limit)s characters."), limit=LARGEST_NAME)
        raise Invalid({"name": problem})
    with write_transaction() as session:
        data_import = get_import(actor, public_id)
        if not data_import.mapping:
            raise Conflict(N_("The file is still being read. Wait a moment."))
        query = select(ImportProfile).where(
            ImportProfile.user_id == actor.id,
            ImportProfile.resource == data_import.resource,
            ImportProfile.name == name,
        )
        profile = session.scalar(query)
        if profile is None:
            profile = ImportProfile(user_id=actor.id, resource=data_import.resource, name=name)
            session.add(profile)
        profile.mapping = data_import.mapping
        profile.options = {**data_import.options, "dry_run": False}
        profile.style = {
            key: value
            for key, value in data_import.overrides.items()
            if key in ("date_order", "date_orders", "decimal")
        }
        profile.updated_at = utc_now()
        session.flush()
        return profile


def apply_profile(actor: User, public_id: str, profile_id: int) -> DataImport:
    """Take a profile's choices for a file: those whose columns it has. Conflict once it was applied."""
    require_role(actor, "editor")
    with write_transaction() as session:
        data_import = get_import(actor, public_id)
        profile = _get(actor, profile_id)
        if profile.resource != data_import.resource:
            raise NotFound(profile_id)
        if data_import.state not in ("inspected", "checked"):
            raise Conflict(N_("A profile is chosen before the import is applied."))
        dialect = data_import.dialect or {}
        columns = list(dialect.get("columns") or ())
        mapping = fit_mapping(profile.mapping, columns)
        suggestions = dict.fromkeys((name for name, rule in mapping.items() if rule["column"]), "remembered")
        data_import.mapping = mapping
        data_import.options = dict(profile.options)
        data_import.dialect = dialect | _answer_dates(dialect, profile.style)
        data_import.report = {
            **(data_import.report or {}),
            "suggestions": suggestions,
            "ignored_columns": list_ignored(columns, mapping),
        }
        data_import.state = "inspected"
        data_import.version += 1
        data_import.updated_at = utc_now()
        session.flush()
        return data_import


def fit_mapping(mapping: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """Return the rules of a profile for a file's columns: a header may be written in another way."""
    known = {normalise(column): column for column in reversed(columns)}
    fitted = {}
    for name, rule in mapping.items():
        full = rule if isinstance(rule, dict) else {"column": rule}
        column = known.get(normalise(full.get("column") or ""))
        if column or full.get("default"):
            fitted[name] = {"default": "", "values": {}, **full, "column": column}
    return fitted


def _answer_dates(dialect: Mapping[str, Any], style: Mapping[str, Any]) -> dict[str, Any]:
    """Answer with the profile what the file leaves open about its dates; what it shows stands."""
    orders = dict(dialect.get("date_orders") or {})
    for column, order in (style.get("date_orders") or {}).items():
        if column in (dialect.get("columns") or ()) and orders.get(column, dialect.get("date_order")) is None:
            orders[column] = order
    whole = dialect.get("date_order") or style.get("date_order")
    if dialect.get("date_order") is None and whole:
        orders = {column: order or whole for column, order in orders.items()}
    return {"date_order": whole, "date_orders": orders}


def delete_profile(actor: User, profile_id: int) -> None:
    """Delete one of the actor's profiles."""
    require_role(actor, "editor")
    with write_transaction() as session:
        session.delete(_get(actor, profile_id))


def _get(actor: User, profile_id: int) -> ImportProfile:
    profile = db.session.get(ImportProfile, profile_id)
    if profile is None or profile.user_id != actor.id:
        raise NotFound(profile_id)
    return profile
