"""What a reference may be: records that a typed text finds, the likeliest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from webapp.extensions import db
from webapp.resources.base import Field, Resource
from webapp.resources.types import Reference, fold_key
from webapp.services.queries import RecordQuery, where_search

MOST_OPTIONS = 20


@dataclass(frozen=True)
class Option:
    """A record to choose: the text that points at it, what tells it from others of that text, and a product's stock."""

    id: int
    key: str
    title: str
    stock: int | None = None


def list_options(
    resource: Resource, text: str = "", *, scope: str = "", limit: int = MOST_OPTIONS
) -> list[Option]:
    """Return the records that a text finds: those whose key begins with it, then those that hold its words.

    ``scope`` is the key of what they should belong to (a model's brand): such records come first.
    """
    found: dict[int, Option] = {}
    for option in _Finder(resource, text.strip(), limit).find(scope.strip()):
        found.setdefault(option.id, option)
        if len(found) == limit:
            break
    return list(found.values())


def find_telling_field(resource: Resource) -> Field | None:
    """Return the field that says which record a key means: a title, or what a model belongs to."""
    if resource.title_field != resource.reference_field:
        return resource.get_field(resource.title_field)
    rest = [name for name in resource.key if name != resource.reference_field]
    return resource.get_field(rest[0]) if rest else None


class _Finder:
    """One question. Each query stops at the limit, so that none looks through all of a million records."""

    def __init__(self, resource: Resource, text: str, limit: int) -> None:
        self.resource = resource
        self.text = text
        self.limit = limit
        self.query = RecordQuery(resource)
        self.field = resource.get_field(resource.reference_field)
        self.telling = find_telling_field(resource)
        self.stock = resource.get_field("quantity") if resource.name == "products" else None

    def find(self, scope: str) -> Iterator[Option]:
        """Yield records, some of them twice."""
        if scope and self.telling is not None and isinstance(self.telling.type, Reference):
            yield from self._find_where([self.query.reference_key(self.telling) == fold_key(scope)])
        yield from self._find_where([])

    def _find_where(self, conditions: list[ColumnElement[bool]]) -> Iterator[Option]:
        if not self.text:
            yield from self._read(conditions, self._order())
            return
        # From the text on in the index, whatever order of letters the database has.
        key, folded = getattr(self.resource.model, f"{self.field.name}_key"), fold_key(self.text)
        for option in self._read([*conditions, key >= folded], key):
            if fold_key(option.key).startswith(folded):
                yield option
        yield from self._read([*conditions, *where_search(self.resource, self.text)], self._order())

    def _order(self) -> Any:
        return self.query.column(self.resource.get_field(self.resource.title_field))

    def _read(self, conditions: Sequence[ColumnElement[bool]], order: Any) -> list[Option]:
        fields = [field for field in (self.field, self.telling, self.stock) if field is not None]
        statement = self.query.select(fields).where(*conditions)
        statement = statement.order_by(order, self.resource.model.id).limit(self.limit)
        return [self._build(*row) for row in db.session.execute(statement)]

    @staticmethod
    def _build(record_id: int, key: str, title: str | None = None, stock: int | None = None) -> Option:
        return Option(record_id, key, title or "", stock)
