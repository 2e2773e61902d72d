"""Answers that are lost on their way: the server did what it was told, and nobody knows."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from tasks.queue import bell, huey
from tests.support.broker import Broker
from tests.support.factories import stock_up
from tests.support.jobs import outcomes
from tests.support.proxy import Proxy, dial_port, dial_socket, stand_before
from tests.support.services import PostgresServer
from tests.support.trials import PATIENCE, Trial, judge_tries
from webapp.extensions import db
from webapp.services import exports

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.slow]

LOST_COMMITS = 2


def test_17_a_message_whose_receipt_is_lost_is_one_job(
    broker_trial: Trial, broker: Broker, make_app: Callable[..., Flask]
) -> None:
    prepared = broker_trial.prepare_import()
    with (
        stand_before(partial(dial_port, broker.port), b"LPUSH") as proxy,
        make_app(REDIS_URL=_redis(proxy)).app_context(),
    ):
        proxy.lose(1)
        job_id = broker_trial.start_import(prepared)
        assert bell.wait(PATIENCE)
        assert (proxy.lost, huey.pending_count()) == (1, 1)
        broker_trial.start_worker()
        broker_trial.settle(job_id)
        assert broker_trial.judge(job_id) + judge_tries(job_id) == []
        db.session.remove()


def test_17_a_message_that_is_lost_while_it_is_handed_out_is_sent_again(
    broker_trial: Trial, broker: Broker
) -> None:
    stock_up("A")
    job_id = exports.request_export(broker_trial.actor, "products", "csv").id
    with stand_before(partial(dial_port, broker.port), b"BRPOP") as proxy:
        proxy.lose(1)
        broker_trial.start_worker(REDIS_URL=_redis(proxy), children=1)
        assert broker_trial.settle(job_id) == "completed"
        assert (proxy.lost, outcomes(job_id)) == (1, ["completed"])
        broker_trial.stack.stop()


def _redis(proxy: Proxy) -> str:
    return f"redis://127.0.0.1:{proxy.port}/0"


@pytest.fixture
def cut_commits(postgres: PostgresServer) -> Iterator[Proxy]:
    """A PostgreSQL whose word on the commit of an import's rows is not heard."""
    connect = partial(dial_socket, str(Path(postgres.folder) / ".s.PGSQL.5432"))
    with stand_before(connect, b"COMMIT", after=b"COPY outflow") as proxy:
        yield proxy


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_26_a_commit_of_which_nobody_heard_is_looked_up(trial: Trial, cut_commits: Proxy) -> None:
    assert _lose_commits(trial, cut_commits) == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_26_a_batch_that_is_believed_to_be_undone_is_saved_twice(trial: Trial, cut_commits: Proxy) -> None:
    problems = _lose_commits(trial, cut_commits, ["doubt"])
    assert any(problem.startswith("lines: ") for problem in problems), problems


def _lose_commits(trial: Trial, proxy: Proxy, without: Sequence[str] = ()) -> list[str]:
    job_id = trial.ask_import()
    proxy.lose(LOST_COMMITS)
    url = f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres?sslmode=disable&gssencmode=disable"
    trial.start_worker(without=without, DATABASE_URL=url)
    trial.settle(job_id)
    assert proxy.lost == LOST_COMMITS
    trial.stack.stop()
    return trial.judge(job_id) + ([] if without else judge_tries(job_id, "error", "error", "completed"))
