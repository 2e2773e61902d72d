"""Which column of a file feeds which field: proposed, checked, and remembered for the next file."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import force_locale, gettext
from sqlalchemy import select

from config import LANGUAGES
from webapp.errors import Invalid
from webapp.extensions import db
from webapp.models import DataImport
from webapp.pipeline.check import ColumnRule, parse_mapping
from webapp.pipeline.dialect import Dialect
from webapp.pipeline.mapping import REASON_COLUMN, Suggestion, normalise, suggest_mapping
from webapp.resources.base import N_, Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import DateTime, Problem, Reference

REMEMBERED_IMPORTS = 20


def mappable_fields(resource: Resource) -> tuple[Field, ...]:
    """Return the fields that a file may give: those that can be written, and those that tell references apart."""
    scopes = {field.type.scope for field in resource.fields if isinstance(field.type, Reference)}
    return tuple(field for field in resource.fields if not field.readonly or field.name in scopes)


def check_mapping(data_import: DataImport, mapping: Mapping[str, Any]) -> dict[str, ColumnRule]:
    """Return the rule of each field that gets values; Invalid says why the mapping cannot be taken."""
    resource = get_resource(data_import.resource)
    dialect = Dialect.from_json(data_import.dialect or {})
    try:
        rules = parse_mapping(mappable_fields(resource), mapping, dialect.columns)
    except Problem as problem:
        raise Invalid({"mapping": problem}) from None
    for name in resource.key:
        field = resource.get_field(name)
        if field.required and name not in rules:
            raise Invalid(
                {
                    name: Problem(
                        N_("No column is chosen for %(field)s, by which records are told apart."),
                        N_("Choose one."),
                        field=field.label,
                    )
                }
            )
    _check_date_orders(resource, dialect, rules)
    return rules


def _check_date_orders(resource: Resource, dialect: Dialect, rules: Mapping[str, ColumnRule]) -> None:
    """Refuse to guess: a wrong order would store wrong days without a word."""
    for name, rule in rules.items():
        is_date = isinstance(resource.get_field(name).type, DateTime)
        if is_date and rule.column and dialect.get_date_order(rule.column) is None:
            problem = Problem(
                N_("In the column “%(column)s” nothing tells the day from the month."),
                N_("Say which comes first."),
                column=rule.column,
            )
            raise Invalid({"date_order": problem})


def list_ignored(columns: Sequence[str], mapping: Mapping[str, Any]) -> list[str]:
    """Return the columns of a file that feed no field."""
    used = {rule.get("column") if isinstance(rule, Mapping) else rule for rule in mapping.values()}
    return [column for column in columns if column not in used and column != REASON_COLUMN]


def propose_mapping(data_import: DataImport, columns: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the proposed mapping of a file, and how sure each of its choices is."""
    resource = get_resource(data_import.resource)
    fields = mappable_fields(resource)
    chosen, words = _remember(data_import)
    found = suggest_mapping(resource, fields, columns, _translate_labels(fields), chosen)
    return (
        {name: _make_rule(one, words.get(name, {})) for name, one in found.items()},
        {name: one.by for name, one in found.items()},
    )


def _make_rule(suggestion: Suggestion, values: Mapping[str, str]) -> dict[str, Any]:
    return {"column": suggestion.column, "default": "", "values": dict(values)}


def _remember(data_import: DataImport) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return what this user chose for such files before: ``{header: field}`` and ``{field: {word: meant}}``.

    The newest choice counts. Only imports that got as far as a check were looked at by a person.
    """
    query = (
        select(DataImport.mapping)
        .where(
            DataImport.user_id == data_import.user_id,
            DataImport.resource == data_import.resource,
            DataImport.id != data_import.id,
            DataImport.state.in_(("checked", "applying", "applied")),
        )
        .order_by(DataImport.id.desc())
        .limit(REMEMBERED_IMPORTS)
    )
    chosen: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}
    for mapping in db.session.scalars(query):
        for name, rule in (mapping or {}).items():
            column = rule.get("column") if isinstance(rule, dict) else rule
            values = (rule.get("values") or {}) if isinstance(rule, dict) else {}
            if column:
                chosen.setdefault(normalise(column), name)
            words[name] = {**values, **words.get(name, {})}
    return chosen, words


def _translate_labels(fields: Sequence[Field]) -> dict[str, list[str]]:
    """Return each field's label in every language: a file's headers need not be in its reader's."""
    labels: dict[str, list[str]] = {field.name: [] for field in fields}
    for language in LANGUAGES:
        with force_locale(language):
            for field in fields:
                labels[field.name].append(gettext(field.label))
    return labels
