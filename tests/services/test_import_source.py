"""The rows of an import as they come out of its file."""

import weakref

from sqlalchemy.orm import Session

from tests.support.imports import upload
from webapp.models import User
from webapp.services.import_source import RowSource


class Knot:
    """Refers to itself, as what SQLAlchemy builds for a statement does."""

    def __init__(self) -> None:
        self.itself = self


def test_what_refers_to_itself_goes_with_the_rows_for_which_it_was_made(
    session: Session, editor: User
) -> None:
    made = upload(editor, "brands", "name\n" + "".join(f"Brand {number}\n" for number in range(40)))
    source = RowSource(made)
    source.chunk_rows = 10
    knots: list[weakref.ref[Knot]] = []
    alive: list[int] = []
    for _rows in source.read():
        alive.append(sum(knot() is not None for knot in knots))
        knots.append(weakref.ref(Knot()))
    assert alive == [0, 0, 0, 0]
