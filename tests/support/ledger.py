"""The ledger of queries: how many each page of records asks the database, for few records and for many."""

from collections.abc import Iterator
from pathlib import Path

from flask.testing import FlaskClient

from tests.support.databases import counted_queries
from tests.support.pages import HTMX
from webapp.resources.base import Field
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Choice, DateTime, Integer, Money, Reference

LEDGER = Path(__file__).parents[1] / "contract" / "queries.txt"
FRAGMENT = "part of "  # the page as htmx gets it
HEADING = (
    "# What a page of records asks the database: queries with few records, and with more than are counted.\n"
)

Counts = dict[str, int]


def list_pages() -> Iterator[str]:
    """Yield the address of every page of records, ``{id}`` where the record's own goes."""
    for resource in RESOURCES.values():
        base = f"/{resource.name}/"
        yield from (base, FRAGMENT + base, f"{base}?q=a", f"{FRAGMENT}{base}?q=a", f"{base}options?q=a")
        for field in resource.fields:
            yield from (f"{base}?{query}" for query in _list_queries(field))
        yield from (f"{base}{{id}}", f"{base}{{id}}/history")
        yield from (f"{base}new", f"{base}{{id}}/edit", f"{base}{{id}}/duplicate", f"{base}{{id}}/delete")
    yield from ("/products/?low_stock=1", "/products/?no_movement_since=2020-01-01")
    yield from ("/products/{id}/movements", "/audit/", FRAGMENT + "/audit/", "/audit/?resource=products")


def _list_queries(field: Field) -> Iterator[str]:
    if field.sortable:
        yield f"sort=-{field.name}"
        yield f"sort={field.name}&q=a"
    if isinstance(field.type, Reference):
        yield f"{field.name}=Tools"
    elif isinstance(field.type, Choice):
        yield f"{field.name}={field.type.options[0]}"
    elif isinstance(field.type, Integer | Money):
        yield f"{field.name}_from=0"
    elif isinstance(field.type, DateTime):
        yield f"{field.name}_from=2020-01-01"


def count_queries(client: FlaskClient, ids: dict[str, int]) -> Counts:
    """Return how many queries each page takes that this person may see."""
    found = {}
    for page in list_pages():
        address = page.removeprefix(FRAGMENT)
        address = address.replace("{id}", str(ids.get(address.split("/")[1], 0)))
        with counted_queries() as queries:
            answer = client.get(address, headers=HTMX if page.startswith(FRAGMENT) else {})
        if answer.status_code != 403:
            assert answer.status_code == 200, f"{address}: {answer.status}"
            found[page] = len(queries)
    return found


def write_ledger(few: Counts, many: Counts) -> str:
    """Return the text of the ledger."""
    return HEADING + "".join(f"{few[page]:3}{many[page]:4}  {page}\n" for page in few)


def read_ledger() -> Counts:
    """Return what the ledger says of few records."""
    lines = [line for line in LEDGER.read_text().splitlines() if not line.startswith("#")]
    return {page: int(count) for count, _, page in (line.split(maxsplit=2) for line in lines)}
