"""The dashboard's figures for scripts: the same values, never computed for who asks."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tests.support.api import Caller
from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop
from webapp.database import write_transaction
from webapp.services import metrics


def compute(app: Flask, age: timedelta = timedelta()) -> dict[str, metrics.Cached]:
    """Have the figures of a filled shop computed, that long ago."""
    with app.app_context():
        moment = datetime.now(UTC) - age
        values = metrics.compute_metrics(moment)
        with write_transaction() as session:
            metrics.store_metrics(session, values, moment)
        metrics.mirror_to_redis()
        return metrics.get_metrics()


@pytest.fixture
def caller(app: Flask) -> Caller:
    """A viewer's script, in a shop with something of every kind."""
    with app.app_context():
        fill_shop()
    return Caller(app, "viewer")


@on_both_databases
def test_the_six_keys_hold_what_the_dashboard_reads(app: Flask, caller: Caller) -> None:
    cached = compute(app)
    body = caller.get("/metrics").get_json()
    assert body.pop("is_stale") is False
    assert datetime.fromisoformat(body.pop("computed_at")) == cached["metrics:product"]["computed_at"]
    shown = {
        key: {**value, "computed_at": cached[key]["value"]["computed_at"]} for key, value in body.items()
    }
    assert shown == {key: cached[key]["value"] for key in metrics.METRIC_KEYS}
    assert body["metrics:sales"]["best_sellers"]
    assert body["metrics:product"]["lowest_stocks"]
    assert body["metrics:products_by_brand"]["rows"]


def test_before_they_were_computed_all_is_null_and_nothing_is_computed(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "compute_metrics", None)  # it would break
    answer = caller.get("/metrics")
    assert answer.status_code == 200
    nothing = dict.fromkeys(metrics.METRIC_KEYS)
    assert answer.get_json() == {"computed_at": None, "is_stale": True, **nothing}


@pytest.mark.parametrize(("minutes", "is_old"), [(9, False), (11, True)])
def test_old_figures_say_so(app: Flask, caller: Caller, minutes: int, *, is_old: bool) -> None:
    compute(app, timedelta(minutes=minutes))
    assert caller.get("/metrics").get_json()["is_stale"] is is_old


def test_who_has_them_already_gets_nothing_again(app: Flask, caller: Caller) -> None:
    compute(app)
    first = caller.get("/metrics")
    known = {"If-None-Match": first.headers["ETag"]}
    again = caller.get("/metrics", headers=known)
    assert (again.status_code, again.data) == (304, b"")
    compute(app)
    assert caller.get("/metrics", headers=known).status_code == 200
    other = caller.get("/metrics", headers={"If-Match": first.headers["ETag"]})
    assert (other.status_code, other.mimetype) == (412, "application/problem+json")


def test_an_unknown_parameter_is_refused(caller: Caller) -> None:
    answer = caller.get("/metrics?key=product")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "key"
