"""What a batch of rows needs to know of the database, in a few queries for all of them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Change
from webapp.services.bulk import is_among, join_values
from webapp.services.fetching import fetch_tuples
from webapp.services.record_shape import Held, Key, Shape, get_table

__all__ = ["Key", "find_existing", "find_lines_of_job", "get_table"]


def find_existing(session: Session, shape: Shape, keys: Sequence[Key], *, lock: bool) -> dict[Key, Held]:
    """Return the records that have these keys; ``lock`` locks them, in order of their ids."""
    if not keys:
        return {}
    table = shape.table
    # The keys come as a table to join: SQLite looks through all of it for a list of pairs, and through
    # every pair of two lists.
    wanted = join_values(session, *(table.c[name] for name in shape.key_columns), values=keys)
    parts = [table.c[name].label(f"_{place}") for place, name in enumerate(shape.key_columns)]
    query = select(*parts, *(table.c[name] for name in shape.held_columns))
    query = query.join(wanted.table, wanted.condition)
    if lock:
        query = query.order_by(table.c.id).with_for_update(of=table)
    count = len(parts)
    return {row[:count]: row[count:] for row in fetch_tuples(session, query, wanted.parameters)}


def find_lines_of_job(
    session: Session, shape: Shape, job_id: int, existing: Mapping[Key, Held]
) -> dict[Key, int]:
    """Return the lines of those records that this job has already saved, by their keys."""
    query = select(Change.record_id, Change.line).where(
        Change.job_id == job_id,
        Change.resource == shape.resource.name,
        is_among(Change.record_id, [held[0] for held in existing.values()]),
    )
    query = query.order_by(Change.id.desc())  # the first line of a record comes last, and stays
    lines = {record_id: line for record_id, line in session.execute(query) if line is not None}
    return {key: lines[held[0]] for key, held in existing.items() if held[0] in lines}
