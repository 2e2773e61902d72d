"""What a person may choose about an import beside its columns."""

from collections.abc import Mapping
from typing import Any

from webapp.errors import Invalid
from webapp.resources.base import N_, Field, Resource
from webapp.resources.types import Problem, Reference
from webapp.services.records import MODES

DEFAULT_OPTIONS: dict[str, Any] = {
    "on_error": "skip",
    "mode": "upsert",
    "empty": "keep",
    "create_missing": [],
    "repeated": "error",
    "dry_run": False,
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "on_error": ("skip", "abort"),
    "mode": MODES,
    "empty": ("keep", "clear"),
    "repeated": ("error", "add_up"),
    "dry_run": (True, False),
}


def check_options(resource: Resource, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an import with their defaults; Invalid names what is unknown."""
    problems = {}
    for name, value in options.items():
        if name == "create_missing":
            unknown = [one for one in value if one not in {field.name for field in list_creatable(resource)}]
            if unknown:
                problems[name] = _no_choice(name, ", ".join(map(str, unknown)))
        elif value not in CHOICES.get(name, ()):
            problems[name] = _no_choice(name, value)
    if problems:
        raise Invalid(problems)
    chosen = {**DEFAULT_OPTIONS, **options}
    return chosen | {"create_missing": list(chosen["create_missing"])}


def list_creatable(resource: Resource) -> tuple[Field, ...]:
    """Return the references whose missing records an import may create: all but products."""
    return tuple(
        field
        for field in resource.fields
        if isinstance(field.type, Reference) and field.type.resource != "products"
    )


def _no_choice(name: str, value: Any) -> Problem:
    return Problem(N_("“%(value)s” is not a choice for %(option)s."), value=value, option=name)
