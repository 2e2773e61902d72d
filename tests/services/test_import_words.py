"""The fixed words of a file are understood in every language, whoever reads it."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.factories import stock_up
from tests.support.imports import bring_in, check, counts, reload_import, upload
from webapp.models import ImportRowError, Inflow, Outflow, User
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Choice
from webapp.services.import_words import understand_words


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("sale", "sale"),
        ("Venda", "sale"),
        ("VENDA", "sale"),
        ("ajuste", "adjustment"),
        ("Adjustment", "adjustment"),
    ],
)
def test_a_kind_of_outflow_in_another_language(session: Session, editor: User, word: str, kind: str) -> None:
    stock_up("A", quantity=5)
    job = bring_in(editor, "outflows", f"reference,product,quantity,kind\nS-1,A,1,{word}\n")
    assert counts(job) == (1, 0, 0, 0)
    assert session.scalars(select(Outflow.kind)).all() == [kind]


def test_kinds_of_inflows_in_another_language(session: Session, editor: User) -> None:
    stock_up("A", quantity=5)
    rows = "N-1,A,1,compra\nN-2,A,1,estoque inicial\nN-3,A,1,Opening stock\nN-4,A,1,ajuste\n"
    bring_in(editor, "inflows", "reference,product,quantity,kind\n" + rows)
    query = select(Inflow.kind).where(Inflow.reference.like("N-%")).order_by(Inflow.reference)
    assert session.scalars(query).all() == ["purchase", "opening", "opening", "adjustment"]


def test_a_word_that_means_nothing_is_refused_with_those_that_do(session: Session, editor: User) -> None:
    stock_up("A", quantity=5)
    found = check(editor, upload(editor, "outflows", "reference,product,quantity,kind\nS-1,A,1,presente\n"))
    (error,) = session.scalars(select(ImportRowError).where(ImportRowError.data_import_id == found.id))
    assert (error.line, error.column, error.value) == (2, "kind", "presente")
    assert error.params["choices"] == "sale, adjustment"
    assert reload_import(found).state == "checked"


def test_every_fixed_word_has_a_label() -> None:
    choices = [
        field.type
        for resource in RESOURCES.values()
        for field in understand_words(resource.fields)
        if isinstance(field.type, Choice)
    ]
    assert choices
    assert all(len(choice.labels) == len(choice.options) for choice in choices)
