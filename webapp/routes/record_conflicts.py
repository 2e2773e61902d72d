"""Two people and one record: the second sees what the first has changed, and chooses field by field."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.extensions import db
from webapp.resources.base import Field, Resource
from webapp.routes.record_controls import translate_text
from webapp.services import record_editing
from webapp.services.record_drafts import list_form_fields
from webapp.services.record_editing import Snapshot


@dataclass(frozen=True)
class Difference:
    """A field that one of the two has changed, or both."""

    field: Field
    before: str
    theirs: str
    mine: str

    @property
    def is_mine(self) -> bool:
        """Whether I have changed it."""
        return self.mine != self.before

    @property
    def is_theirs(self) -> bool:
        """Whether somebody else has changed it."""
        return self.theirs != self.before


def show_conflict(
    resource: Resource, record_id: int, texts: Mapping[str, str], seen: Snapshot, current: Snapshot
) -> ResponseReturnValue:
    """Show what both have changed; whoever chooses then saves over what is shown, and nothing else."""
    found = list_differences(resource, texts, seen, current)
    page = render_template(
        "records/conflict.html",
        resource=resource,
        record_id=record_id,
        name=current.texts.get(resource.title_field, ""),
        differences=found,
        texts=texts,
        version=current.version,
        seen=json.dumps(dict(current.texts)),
        last_change=record_editing.find_last_change(db.session(), resource, record_id),
        url=url_for("records.update_record", resource=resource, record_id=record_id),
    )
    return page, 409


def list_differences(
    resource: Resource, texts: Mapping[str, str], seen: Snapshot, current: Snapshot
) -> list[Difference]:
    """Return the fields that somebody has changed, what is to be chosen first."""
    found = [
        Difference(
            field,
            translate_text(resource, field.name, seen.texts.get(field.name, "")),
            translate_text(resource, field.name, current.texts.get(field.name, "")),
            texts[field.name].strip(),
        )
        for field in list_form_fields(resource, is_new=False)
    ]
    changed = [item for item in found if item.is_mine or item.is_theirs]
    return sorted(changed, key=lambda item: not item.is_theirs)


def take_choices(resource: Resource, seen: Snapshot) -> dict[str, str]:
    """Return the texts of the fields for which the other person's value was chosen."""
    return {
        field.name: translate_text(resource, field.name, seen.texts.get(field.name, ""))
        for field in list_form_fields(resource, is_new=False)
        if request.form.get(f"take-{field.name}") == "theirs"
    }
