"""What the form of a record shows: a control a field, with its text, its problem and its ids."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import flask_babel
from babel.numbers import get_decimal_symbol
from flask import request

from webapp.resources.base import Field, Resource
from webapp.resources.types import Choice, DateTime, Problem, Reference
from webapp.services.record_drafts import Draft, format_text, list_form_fields
from webapp.services.record_editing import Snapshot
from webapp.services.reference_options import find_telling_field


@dataclass(frozen=True)
class Control:
    """One field of the form."""

    field: Field
    id: str
    text: str
    problem: Problem | None = None
    scope_id: str = ""

    @property
    def described_by(self) -> str:
        """The ids of what is said about it, the error first."""
        said = [f"{self.id}-error"] if self.problem else []
        return " ".join([*said, f"{self.id}-hint"] if self.field.help else said)

    @property
    def states(self) -> dict[str, str | None]:
        """The attributes that say what is asked of it and what is wrong, also to those who hear it."""
        return {
            "required": "required" if self.field.required else None,
            "aria-invalid": "true" if self.problem else None,
            "aria-describedby": self.described_by or None,
        }


def list_controls(
    resource: Resource,
    texts: Mapping[str, str],
    problems: Mapping[str, Problem] | None = None,
    *,
    is_new: bool,
    prefix: str = "field",
) -> list[Control]:
    """Return the controls of a form. ``prefix`` keeps the ids of two forms on one page apart."""
    return [
        Control(
            field,
            f"{prefix}-{field.name}",
            texts.get(field.name, ""),
            (problems or {}).get(field.name),
            f"{prefix}-{field.type.scope}" if isinstance(field.type, Reference) and field.type.scope else "",
        )
        for field in list_form_fields(resource, is_new=is_new)
    ]


def decimal_sign() -> str:
    """Return the sign before decimals in the reader's language."""
    return str(get_decimal_symbol(flask_babel.get_locale()))


def show_texts(resource: Resource, values: Mapping[str, Any], *, is_new: bool = False) -> dict[str, str]:
    """Return a record's values as the controls show them."""
    sign = decimal_sign()
    return {
        field.name: format_text(field, values[field.name], sign)
        for field in list_form_fields(resource, is_new=is_new)
    }


def list_defaults(resource: Resource) -> dict[str, str]:
    """Return what a new record's form begins with: what the address says, and the first of each choice.

    ``q`` is what was typed where such a record was looked for, ``scope`` what it should belong to.
    """
    texts = {}
    for field in list_form_fields(resource, is_new=True):
        texts[field.name] = request.args.get(field.name, "")
        if isinstance(field.type, Choice) and texts[field.name] not in field.type.options:
            texts[field.name] = field.type.options[0]
    telling = find_telling_field(resource)
    if telling is not None and telling.is_reference:
        texts[telling.name] = texts[telling.name] or request.args.get("scope", "")
    texts[resource.reference_field] = texts[resource.reference_field] or request.args.get("q", "")
    return texts


def list_copied(resource: Resource, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of a duplicate: all but what tells the two apart, and the stock."""
    texts = show_texts(resource, values, is_new=True)
    emptied = (
        {resource.reference_field, "quantity"} if resource.name == "products" else {resource.reference_field}
    )
    return {
        field.name: "" if field.name in emptied or isinstance(field.type, DateTime) else texts[field.name]
        for field in list_form_fields(resource, is_new=True)
    }


def list_carried(resource: Resource, texts: Mapping[str, str]) -> dict[str, str]:
    """Return what the next of several records is likely to share: an invoice's number, supplier and date."""
    shared = [
        field
        for field in list_form_fields(resource, is_new=True)
        if isinstance(field.type, Reference | Choice | DateTime) and field.name != "product"
    ]
    names = [field.name for field in shared]
    if resource.name in ("inflows", "outflows"):
        names.append(resource.reference_field)
    return {name: texts[name] for name in names if texts.get(name)}


def read_texts(resource: Resource, *, is_new: bool) -> dict[str, str]:
    """Return the texts of a posted form. A browser sends line ends in a way of its own."""
    return {
        field.name: request.form.get(field.name, "").replace("\r\n", "\n")
        for field in list_form_fields(resource, is_new=is_new)
    }


def make_draft(texts: Mapping[str, str]) -> Draft:
    """Return what was typed, as the reader's language writes numbers."""
    return Draft(texts, decimal_sign())


def read_snapshot() -> Snapshot:
    """Return what the posted form was begun with; what cannot be read differs from every record."""
    try:
        texts = json.loads(request.form.get("seen", ""))
        return Snapshot(int(request.form.get("version", "")), {str(k): str(v) for k, v in texts.items()})
    except (ValueError, AttributeError):
        return Snapshot(0, {})


def translate_text(resource: Resource, name: str, text: str) -> str:
    """Return a snapshot's text as the controls show it; one that is no text of ours as it is."""
    field = resource.get_field(name)
    try:
        return format_text(field, field.type.parse(text), decimal_sign()) if text else ""
    except Problem:
        return text
