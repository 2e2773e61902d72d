"""Whatever several people and files do to the movements at once, a quantity is the sum of its movements."""

import itertools
import threading
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import make_rows, quantity_of, save, stock_up
from tests.support.imports import check, undo, upload
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Inflow, Outflow, Product, User
from webapp.resources.registry import get_resource
from webapp.services import import_apply, imports, stock
from webapp.services.job_protocol import carry_out, claim_job
from webapp.services.record_removal import remove_records
from webapp.services.records import SaveContext
from webapp.services.stock_counts import save_counts
from webapp.services.stock_repair import repair_stock

pytestmark = [on_both_databases, pytest.mark.slow]

NAMES = ("A", "B", "C")
THREADS = 3
RUNS = itertools.count()
MODELS: dict[str, Any] = {"inflows": Inflow, "outflows": Outflow}

PRODUCT = st.sampled_from(NAMES)
KIND = st.sampled_from(list(MODELS))
# One reference for a few movements: the same one is created by one thread and edited by another.
MOVEMENT = st.fixed_dictionaries(
    {"reference": st.sampled_from(["1", "2", "3"]), "product": PRODUCT, "quantity": st.integers(1, 9)}
)
SAVE = st.tuples(st.just("save"), KIND, st.lists(MOVEMENT, min_size=1, max_size=5))
DELETE = st.tuples(st.just("delete"), KIND, st.integers(0, 5))
COUNT = st.tuples(st.just("count"), st.dictionaries(PRODUCT, st.integers(0, 20), min_size=1))
DEED: st.SearchStrategy[tuple[Any, ...]] = st.one_of(SAVE, DELETE, COUNT)
WORK = st.lists(st.lists(DEED, max_size=6), min_size=THREADS, max_size=THREADS)


def refill() -> None:
    """See to it that there is something to take: hypothesis comes again and again to the same shop."""
    if db.session.scalar(select(Product.id).limit(1)) is None:
        stock_up(*NAMES, quantity=10)
    else:
        save("inflows", *({"product": name, "quantity": 10} for name in NAMES))


def do(deed: tuple[Any, ...], count_name: str) -> None:
    """Do one thing in a transaction of its own; whoever locks in another order makes a deadlock."""
    kind, *what = deed
    if kind == "save":
        save(what[0], *what[1])
    elif kind == "delete":
        ids = list(db.session.scalars(select(MODELS[what[0]].id).order_by(MODELS[what[0]].id.desc())))
        with write_transaction() as session:
            chosen = ids[what[1] : what[1] + 2]
            remove_records(session, get_resource(what[0]), chosen, SaveContext(None, "form"))
    else:
        rows = make_rows(*({"product": name, "counted": count} for name, count in what[0].items()))
        with write_transaction() as session:
            save_counts(session, rows, SaveContext(None, "stock_count"), count_name)


def run_together(app: Flask, *works: Callable[[], None]) -> None:
    """Do several things at once, each on a thread with a connection of its own; all must end well."""
    failures: list[BaseException] = []
    begin = threading.Barrier(len(works))

    def work_one(work: Callable[[], None]) -> None:
        try:
            with app.app_context():
                begin.wait()
                work()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=Context().run, args=(work_one, work)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread waits for ever"
    if failures:
        raise failures[0]


def repairing() -> None:
    """Look for what differs while others move: a difference would be one that they have made."""
    for _ in range(10):
        assert list(repair_stock(None)) == []


def doing(place: str, deeds: Sequence[tuple[Any, ...]]) -> Callable[[], None]:
    """Return the work of one thread."""

    def work() -> None:
        for number, deed in enumerate(deeds):
            do(deed, f"COUNT-{place}-{number}")

    return work


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(work=WORK)
def test_any_work_of_several_threads_leaves_quantity_equal_to_the_sum(
    app: Flask, work: list[list[tuple[Any, ...]]]
) -> None:
    with app.app_context():
        refill()
        db.session.remove()
    stamp = next(RUNS)
    run_together(app, *(doing(f"{stamp}-{place}", deeds) for place, deeds in enumerate(work)))
    with app.app_context():
        assert stock.verify_stock() == []
        assert min(quantity_of(name) for name in NAMES) >= 0


def test_a_file_its_undo_forms_counts_and_a_repair_at_once(
    session: Session, app: Flask, editor: User
) -> None:
    stock_up(*NAMES, quantity=400)
    rows = "".join(f"{NAMES[place % 3]},S-{place},{place % 4 + 1}\n" for place in range(300))
    first = upload(editor, "outflows", "product,reference,quantity\n" + rows)
    counted = "".join(f"{name},{count}\n" for name, count in zip(NAMES, (350, 120, 7), strict=True))
    second = upload(editor, "stock_counts", "product,counted\n" + counted)
    for given_file in (first, second):
        check(editor, given_file)
    import_first, import_second = (
        imports.start_import(editor, item.public_id).id for item in (first, second)
    )
    db.session.rollback()

    def run_job(job_id: int) -> Callable[[], None]:
        def work() -> None:
            run = claim_job(job_id, f"worker-{job_id}", lambda: False)
            assert run is not None
            carry_out(run, import_apply.run_import)

        return work

    deeds: list[tuple[Any, ...]] = [
        ("save", "inflows", [{"reference": str(n), "product": NAMES[::-1][n % 3], "quantity": 2}])
        for n in range(20)
    ]
    edits: list[tuple[Any, ...]] = [
        ("save", "outflows", [{"reference": f"S-{n}", "product": NAMES[n % 3], "quantity": 5}])
        for n in range(40)
    ]
    deletes: list[tuple[Any, ...]] = [("delete", "outflows", n) for n in range(20)]
    run_together(
        app,
        run_job(import_first),
        run_job(import_second),
        doing("a", deeds + deletes),
        doing("b", edits),
        repairing,
    )
    db.session.rollback()
    assert stock.verify_stock() == []
    assert undo(editor, first).status == "completed"
    assert stock.verify_stock() == []
    assert min(quantity_of(name) for name in NAMES) >= 0
