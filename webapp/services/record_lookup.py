"""What a batch of rows needs to know of the database, in a few queries for all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Change
from webapp.services.bulk import is_among, join_values
from webapp.services.record_shape import Key, Shape, get_table

__all__ = ["Key", "find_existing", "find_lines_of_job", "get_table"]


def find_existing(
    session: Session, shape: Shape, keys: Sequence[Key], *, lock: bool
) -> dict[Key, dict[str, Any]]:
    """Return ``{key: values}`` of the records that have these keys, locked in order of their ids.

    The values are those of the declared columns, with ``id`` and ``version``.
    """
    if not keys:
        return {}
    table = shape.table
    # The keys come as a table to join: SQLite looks through all of it for a list of pairs, and through
    # every pair of two lists.
    wanted = join_values(session, *(table.c[name] for name in shape.key_columns), values=keys)
    names = ("id", "version", *shape.columns)
    parts = [table.c[name].label(f"_{place}") for place, name in enumerate(shape.key_columns)]
    query = (
        select(*parts, *(table.c[name] for name in names))
        .join(wanted.table, wanted.condition)
        .order_by(table.c.id)
    )
    if lock:
        query = query.with_for_update(of=table)
    count = len(parts)
    rows = session.execute(query, wanted.parameters).all()
    return {tuple(row[:count]): dict(zip(names, row[count:], strict=True)) for row in rows}


def find_lines_of_job(
    session: Session, shape: Shape, job_id: int, existing: Mapping[Key, dict[str, Any]]
) -> dict[Key, int]:
    """Return the lines of those records that this job has already saved, by their keys."""
    query = select(Change.record_id, Change.line).where(
        Change.job_id == job_id,
        Change.resource == shape.resource.name,
        is_among(Change.record_id, [values["id"] for values in existing.values()]),
    )
    query = query.order_by(Change.id.desc())  # the first line of a record comes last, and stays
    lines = {record_id: line for record_id, line in session.execute(query) if line is not None}
    return {key: lines[values["id"]] for key, values in existing.items() if values["id"] in lines}
