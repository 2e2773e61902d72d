"""The form of an export: what a person chose so far, out of an address, a posted form or what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webapp.errors import Invalid, Problem
from webapp.forms import read_options
from webapp.pipeline.format_options import YES, Format, Option
from webapp.pipeline.formats import FORMATS
from webapp.resources.base import N_, Field, Resource
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Choice, DateTime, Integer, Money, Text
from webapp.routes.list_filters import IN_TOOLBAR
from webapp.services import queries

DEFAULT_RESOURCE = "products"
DEFAULT_FORMAT = "csv"
FILTER_PREFIX = "filter-"


@dataclass(frozen=True)
class ColumnChoice:
    """One column with its place among all of them, counted from 1."""

    field: Field
    place: int
    is_chosen: bool


@dataclass(frozen=True)
class Choices:
    """What to export and how. ``columns`` are all there are, in the order in which they stand in the form."""

    resource: Resource
    file_format: str = DEFAULT_FORMAT
    columns: tuple[ColumnChoice, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by format

    @property
    def fields(self) -> list[str]:
        """The names of the chosen columns, in order."""
        return [column.field.name for column in self.columns if column.is_chosen]

    @property
    def asked(self) -> dict[str, Any]:
        """What the services ask for beside the kind of records and the format. Invalid without a column."""
        if not self.fields:
            raise Invalid({"fields": Problem(N_("No column is chosen."), N_("Tick at least one."))})
        return {
            "fields": self.fields,
            "filters": dict(self.filters),
            "sort": self.sort,
            "options": dict(self.options.get(self.file_format, {})),
        }

    @property
    def choice_fields(self) -> list[Field]:
        """The fields with a fixed set of words: each has its filter in the form."""
        return [item for item in self.resource.fields if isinstance(item.type, Choice)]

    @property
    def text_filters(self) -> list[str]:
        """The filters by which the records are narrowed now, but for those with a control of their own."""
        own = {*IN_TOOLBAR, *(item.name for item in self.choice_fields)}
        return [name for name in self.filters if name not in own]

    @property
    def other_filters(self) -> list[str]:
        """The filters by which the records could be narrowed beside."""
        taken = {*IN_TOOLBAR, *self.filters, *(item.name for item in self.choice_fields)}
        taken |= {item.name for item in self.resource.fields if _is_long(item)}
        return [name for name in queries.list_filter_names(self.resource) if name not in taken]

    @property
    def sorts(self) -> list[tuple[str, str]]:
        """The orders in which rows can stand, each with its words."""
        found = []
        for item in self.resource.fields:
            if item.sortable:
                up, down = _name_directions(item)
                found += [
                    (item.name, f"{_(item.label)}: {up}"),
                    (f"-{item.name}", f"{_(item.label)}: {down}"),
                ]
        return found

    @property
    def shown_sort(self) -> str:
        """The order that the form shows: the chosen one, or the resource's own."""
        return self.sort or self.resource.order_by[0]

    def get_value(self, chosen: Format, option: Option) -> str | bool:
        """Return what an option of a format is set to."""
        value = self.options.get(chosen.name, {}).get(option.name, option.default)
        return str(value).lower() in YES if option.is_switch else str(value)


def _is_long(item: Field) -> bool:
    return isinstance(item.type, Text) and item.type.multiline


def _name_directions(item: Field) -> tuple[str, str]:
    if isinstance(item.type, Integer | Money):
        return _("smallest first"), _("largest first")
    if isinstance(item.type, DateTime):
        return _("oldest first"), _("newest first")
    return _("A to Z"), _("Z to A")


def read_address(args: MultiDict[str, str]) -> Choices:
    """Return the choices that a list's address makes: its filters and its order carry over."""
    resource = find_resource(args)
    filters = {name: args[name].strip() for name in _filter_names(resource) if args.get(name, "").strip()}
    return Choices(
        resource,
        file_format=_find_format(args.get("format", "")),
        columns=_order_columns(resource, [item.name for item in resource.fields]),
        filters=filters,
        sort=args.get("sort", ""),
    )


def read_form(form: MultiDict[str, str]) -> Choices:
    """Return the choices of a posted form. One that shows no columns, as in a list's menu, means all."""
    resource = find_resource(form)
    names = [item.name for item in resource.fields]
    ticked = form.getlist("fields") if "fields-shown" in form or "fields" in form else names
    order = sorted(names, key=lambda name: _read_place(form.get(f"place-{name}", "")))
    unknown = [name for name in ticked if name not in names]
    if unknown:
        raise Invalid({"fields": Problem(N_("There is no field “%(value)s”."), value=unknown[0])})
    return Choices(
        resource,
        file_format=form.get("format-instead") or form.get("format", DEFAULT_FORMAT),
        columns=_order_columns(resource, [name for name in order if name in ticked], order),
        filters=_read_filters(resource, form),
        sort=form.get("sort", ""),
        options={item.name: read_options(item, form) for item in FORMATS.values()},
    )


def read_stored(model_name: str, file_format: str, params: Mapping[str, Any]) -> Choices:
    """Return the choices that were stored, as far as they still are ones."""
    resource = RESOURCES[model_name]
    names = [item.name for item in resource.fields]
    chosen = [name for name in params.get("fields", ()) if name in names]
    filters = {
        name: text for name, text in params.get("filters", {}).items() if name in _filter_names(resource)
    }
    return Choices(
        resource,
        file_format=_find_format(file_format),
        columns=_order_columns(resource, chosen or names),
        filters=filters,
        sort=params.get("sort", ""),
        options={file_format: params.get("options", {})},
    )


def find_resource(values: MultiDict[str, str]) -> Resource:
    """Return the kind of records that is asked for; products when it is none."""
    return RESOURCES.get(values.get("resource", ""), RESOURCES[DEFAULT_RESOURCE])


def _find_format(name: str) -> str:
    return name if name in FORMATS else DEFAULT_FORMAT


def _filter_names(resource: Resource) -> list[str]:
    return queries.list_filter_names(resource)


def _read_filters(resource: Resource, form: MultiDict[str, str]) -> dict[str, str]:
    """Return the filters of a form: those that stand there, the one that is added, not the one that is dropped."""
    found = {
        name.removeprefix(FILTER_PREFIX): text.strip()
        for name, text in form.items()
        if name.startswith(FILTER_PREFIX) and text.strip()
    }
    added, value = form.get("add-filter", ""), form.get("add-value", "").strip()
    if added in _filter_names(resource) and value:
        found[added] = value
    found.pop(form.get("drop-filter", ""), None)
    return found


def _read_place(text: str) -> float:
    """Return a column's place; one that is no number stands after those that are."""
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _order_columns(
    resource: Resource, chosen: list[str], order: list[str] | None = None
) -> tuple[ColumnChoice, ...]:
    """Return all columns: in this order, or the chosen ones first."""
    names = order or [*chosen, *(item.name for item in resource.fields if item.name not in chosen)]
    return tuple(
        ColumnChoice(resource.get_field(name), place, name in chosen) for place, name in enumerate(names, 1)
    )
