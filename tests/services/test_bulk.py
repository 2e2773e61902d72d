"""Many values in one statement: PostgreSQL finds a few of many rows through their index, analyzed or not."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.databases import POSTGRES
from webapp.models import Brand
from webapp.services.bulk import join_values

pytestmark = pytest.mark.parametrize("database", [POSTGRES], indirect=True)

FILL = (
    "INSERT INTO brand (name, name_key, version, created_at, updated_at, search_text)"
    " SELECT n, n, 1, now(), now(), n FROM generate_series(1, 20000) AS n"
)


@pytest.mark.parametrize("before", ["", "ANALYZE brand"])
@pytest.mark.parametrize("count", [1, 5_000])
def test_values_are_looked_up_through_the_index_however_many_they_are(
    session: Session, count: int, before: str
) -> None:
    connection = session.connection()
    connection.exec_driver_sql(FILL)
    if before:
        connection.exec_driver_sql(before)
    wanted = join_values(
        session, Brand.__table__.c.name_key, values=[(str(number),) for number in range(1, count + 1)]
    )
    query = select(Brand.id).join(wanted.table, wanted.condition)
    plan = connection.exec_driver_sql(f"EXPLAIN ANALYZE {query.compile(connection)}", wanted.parameters)
    steps = [row[0] for row in plan]
    assert any("name_key" in step and "Index" in step for step in steps), steps
    assert not any("Scan on brand" in step for step in steps), steps
    assert f"rows={count} " in steps[0]
    session.rollback()
