"""The readable page of the specification: for people, in the looks of the house, without a script."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from webapp.api.blueprint import API_ROOT
from webapp.api.problems import DETAILS, TITLES
from webapp.api.specification import get_specification

METHODS = ("get", "post", "put", "patch", "delete")
LIMITS = {"minimum": "≥ ", "maximum": "≤ ", "maxLength": "≤ ", "maxItems": "≤ "}

blueprint = Blueprint("api_docs", __name__, url_prefix=API_ROOT)


@dataclass(frozen=True)
class Value:
    """One thing that goes in or out: a parameter, or a property of a body."""

    name: str
    kind: str
    place: str = ""
    description: str = ""
    is_required: bool = False
    schema: str = ""  # the named schema that it is made of


@dataclass(frozen=True)
class Answer:
    """One way in which an operation may end."""

    status: str
    description: str
    schema: str = ""
    media_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Value] = field(default_factory=list)
    body: list[Value] = field(default_factory=list)
    media_type: str = ""
    answers: list[Answer] = field(default_factory=list)


@blueprint.get("/docs")
def show() -> ResponseReturnValue:
    """Show what can be asked for, what is sent and what is answered."""
    found = get_specification()
    return render_template(
        "api/docs.html",
        root=API_ROOT,
        host=request.host_url.rstrip("/"),
        groups=group_operations(found),
        schemas={name: list_values(found, schema) for name, schema in found["components"]["schemas"].items()},
        problems={status: (_(title), _(DETAILS[status])) for status, title in TITLES.items()},
    )


def group_operations(found: Mapping[str, Any]) -> list[tuple[str, str, list[Operation]]]:
    """Return the operations in the groups of the specification: name, description, operations."""
    operations: dict[str, list[Operation]] = {tag["name"]: [] for tag in found["tags"]}
    for path, item in found["paths"].items():
        for method in METHODS:
            if method in item:
                operation = _read_operation(found, path, method, item)
                operations[item[method]["tags"][0]].append(operation)
    return [(tag["name"], tag["description"], operations[tag["name"]]) for tag in found["tags"]]


def _read_operation(found: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any]) -> Operation:
    raw = item[method]
    parameters = [_resolve(found, one) for one in (*item.get("parameters", ()), *raw.get("parameters", ()))]
    content = raw.get("requestBody", {}).get("content", {})
    media_type = next(iter(content), "")
    return Operation(
        id=f"{method}-{path.removeprefix(API_ROOT).strip('/').replace('/', '-').translate(DROPPED)}",
        method=method.upper(),
        path=path,
        summary=raw.get("summary", ""),
        description=_mark_code(raw.get("description", "")),
        parameters=[_read_value(one["name"], one["schema"], one) for one in parameters],
        body=list_values(found, content[media_type]["schema"]) if media_type else [],
        media_type=media_type,
        answers=list(_read_answers(found, raw["responses"])),
    )


DROPPED = str.maketrans("", "", "{}:<>")


def _read_answers(found: Mapping[str, Any], responses: Mapping[str, Any]) -> Iterator[Answer]:
    for status, reference in sorted(responses.items()):
        answer = _resolve(found, reference)
        content = answer.get("content", {})
        schemas = [_name_schema(one.get("schema", {})) for one in content.values()]
        name = next((name for name in schemas if name), "")
        yield Answer(status, _mark_code(answer.get("description", "")), name, tuple(content))


def list_values(found: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Value]:
    """Return the properties of an object; of anything else, and of a list, those of what it holds."""
    schema = _resolve(found, schema)
    if schema.get("type") == "array":
        return list_values(found, schema["items"])
    required = schema.get("required", ())
    return [
        _read_value(name, one, {"required": name in required})
        for name, one in schema.get("properties", {}).items()
    ]


def _read_value(name: str, schema: Mapping[str, Any], about: Mapping[str, Any]) -> Value:
    return Value(
        name,
        kind=_describe(schema),
        place=about.get("in", ""),
        description=_mark_code(about.get("description") or schema.get("description", "")),
        is_required=about.get("required", False),
        schema=_name_schema(schema),
    )


def _describe(schema: Mapping[str, Any]) -> str:
    """Return the kind of a value in a few words, such as ``integer, 1 to 200, 50 if nothing is said``."""
    if "anyOf" in schema:
        return " | ".join(_describe(one) for one in schema["anyOf"])
    kinds = schema.get("type", "")
    words = [" | ".join(kinds) if isinstance(kinds, list) else str(kinds or _name_schema(schema))]
    if schema.get("type") == "array":
        items = schema["items"]  # a schema with a name stands beside it, as a link
        words = ["array of" if "$ref" in items else f"array of {_describe(items) or 'values'}"]
    if "format" in schema:
        words.append(str(schema["format"]))
    if "enum" in schema:
        words.append(" · ".join(str(one) for one in schema["enum"] if one is not None))
    words += [f"{sign}{schema[name]}" for name, sign in LIMITS.items() if name in schema]
    if schema.get("default") not in (None, "", [], {}):
        words.append(f"default {str(schema['default']).lower()}")
    return ", ".join(word for word in words if word)


def _mark_code(text: str) -> Markup:
    """Return a text of the specification, whose backticks mark what is typed, as HTML."""
    parts = text.split("`")
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def _name_schema(schema: Mapping[str, Any]) -> str:
    """Return the name of the schema that this one refers to, itself or in what it holds."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return _name_schema(schema["items"])
    return next((name for one in schema.get("anyOf", ()) if (name := _name_schema(one))), "")


def _resolve(found: Mapping[str, Any], thing: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference within the specification."""
    if "$ref" not in thing:
        return thing
    target: Any = found
    for part in thing["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    resolved: Mapping[str, Any] = target
    return resolved
