"""An INSERT that says what becomes of a row that is there already: ``on_conflict_do_nothing``, ``_do_update``.

Both databases have it in the same words; SQLAlchemy has it once for each of them.
"""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def upsert(session: Session, model: type[Any]) -> sqlite.Insert:
    """Return an INSERT into a model's table, for the database of this session."""
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made: sqlite.Insert = dialect.insert(model)
    return made
