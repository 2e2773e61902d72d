"""Every other way in which a worker can end, freeze or be late."""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support import scenarios
from tests.support.factories import stock_up
from tests.support.faults import UNPICKLABLE, Fault
from tests.support.jobs import ask, look_at, outcomes
from tests.support.processes import children_of, find_marked, wait_until
from tests.support.trials import Trial, judge_tries, thaw
from webapp.models.base import utc_now
from webapp.services import exports, files

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.slow]

CHILDREN = 3  # two workers and the scheduler
LARGEST_FILE = 64 << 10
TINY_DISK = 1 << 20
POSTGRES = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@POSTGRES
def test_on_postgresql_a_killed_worker_is_exact(trial: Trial) -> None:
    assert scenarios.kill_in_a_batch(trial) == []


@POSTGRES
def test_on_postgresql_a_frozen_worker_is_exact(trial: Trial) -> None:
    assert scenarios.freeze_past_the_lease(trial) == []


@POSTGRES
def test_on_postgresql_a_late_finish_is_exact(trial: Trial) -> None:
    assert scenarios.finish_after_the_reaper(trial) == []


@POSTGRES
def test_on_postgresql_an_early_finish_stands(trial: Trial) -> None:
    assert scenarios.finish_before_the_reaper(trial) == []


@POSTGRES
def test_on_postgresql_two_tickers_run_each_slot_once(trial: Trial) -> None:
    assert scenarios.run_two_tickers(trial) == []


def test_2_a_killed_consumer_is_replaced(trial: Trial) -> None:
    gate = Fault("after_batch", "wait", number=2)
    job_id = trial.ask_import()
    worker = trial.start_worker(gate)
    trial.wait_for_fault(gate)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.process.wait()
    trial.start_worker()
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id, "crash", "completed") == []


def test_3_children_do_not_outlive_their_parent(trial: Trial) -> None:
    gate = Fault("after_batch", "wait", number=2)
    job_id = trial.ask_import()
    worker = trial.start_worker(gate)
    trial.wait_for_fault(gate)
    assert len(children_of(worker.pid)) == CHILDREN
    os.kill(worker.pid, signal.SIGKILL)
    worker.process.wait()
    wait_until(lambda: not find_marked(trial.stack.mark), lambda: "children outlive their parent", patience=5)
    trial.start_worker()
    trial.settle(job_id)
    assert trial.judge(job_id) == []


@pytest.mark.parametrize(
    ("point", "tries"),
    [
        ("claimed", ("crash", "completed")),
        ("finishing", ("crash", "completed")),
        ("finished", ("completed",)),
    ],
    ids=["4 before the first batch", "inside the last transaction", "5 after the last commit"],
)
def test_a_kill_at_the_edges(trial: Trial, point: str, tries: tuple[str, ...]) -> None:
    fault = Fault(point, "kill")
    job_id = trial.ask_import()
    trial.start_worker(fault)
    trial.wait_for_fault(fault)
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id, *tries) == []


def test_6_a_stop_is_followed_at_the_next_boundary(trial: Trial) -> None:
    gate = Fault("in_batch", "wait", number=3)
    slow = Fault("after_batch", "sleep", seconds=1, times=99)  # a consumer looks up once a second
    job_id = trial.ask_import()
    worker = trial.start_worker(gate, slow)
    trial.wait_for_fault(gate)
    worker.process.send_signal(signal.SIGTERM)
    trial.open_gate(gate)
    worker.process.wait(30)
    job = look_at(job_id)
    assert (job.status, job.processed < 60, job.crashes, job.attempt) == ("pending", True, 0, 0)
    trial.start_worker()
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id, "released", "completed") == []


def test_7_a_job_that_does_not_heed_the_stop_is_cut_off_and_resumed(trial: Trial) -> None:
    gate = Fault("before_batch", "wait", number=3)
    job_id = trial.ask_import()
    worker = trial.start_worker(gate, LEASE_SECONDS="30")
    trial.wait_for_fault(gate)
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(30)
    trial.start_worker()
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id, "released", "completed") == []


@POSTGRES
def test_9_a_worker_frozen_inside_a_transaction_is_fenced(trial: Trial) -> None:
    fault = Fault("in_batch", "stop", number=3)
    job_id = trial.ask_import()
    trial.start_worker(fault)
    frozen = trial.wait_for_fault(fault)
    wait_until(lambda: look_at(job_id).token == 2, lambda: "nobody took over", patience=60)
    thaw(frozen)
    trial.wait_until_left(job_id, 1)
    trial.settle(job_id)
    assert trial.judge(job_id) == []


def test_10_a_step_longer_than_the_lease_keeps_its_job(trial: Trial) -> None:
    assert scenarios.work_longer_than_the_lease(trial) == []


def test_11_a_dead_heartbeat_loses_the_job_and_no_row(trial: Trial) -> None:
    silent = Fault("beat", "wait")
    slow = Fault("before_batch", "sleep", number=3, seconds=5)
    job_id = trial.ask_import()
    trial.start_worker(silent, slow)
    trial.wait_for_fault(silent)
    trial.settle(job_id)
    trial.wait_until_left(job_id, 1)
    trial.open_gate(silent)
    assert trial.judge(job_id) + judge_tries(job_id, "crash", "completed") == []


@pytest.mark.parametrize(
    ("action", "tries"),
    [
        ("leave", ("released", "completed")),
        ("exit", ("crash", "completed")),
        ("memory", ("error", "completed")),
        ("deadlock", ("error", "completed")),
        ("disk", ("error", "completed")),
    ],
    ids=["22 sys.exit", "22 os._exit", "22 no memory", "27 deadlock", "28 disk full"],
)
def test_a_body_that_breaks_in_a_batch_is_resumed(trial: Trial, action: str, tries: tuple[str, ...]) -> None:
    fault = Fault("in_batch", action, number=3)
    job_id = trial.ask_import()
    trial.start_worker(fault)
    trial.wait_for_fault(fault)
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id, *tries) == []


def test_22_a_result_that_no_message_can_carry_hurts_nobody(trial: Trial) -> None:
    job_id = ask(trial.actor, UNPICKLABLE)  # a kind that only the workers of the tests know
    trial.start_worker()
    assert trial.settle(job_id) == "completed"
    assert judge_tries(job_id) == []


def test_28_an_export_on_a_full_disk_leaves_no_file_and_says_why(trial: Trial) -> None:
    fault = Fault("checked", "disk", times=9, task_type="export")
    stock_up("A")
    job_id = exports.request_export(trial.actor, "products", "csv").id
    trial.start_worker(fault, MAX_RETRIES="3")
    assert trial.settle(job_id) == "failed"
    job = look_at(job_id)
    assert (job.error_message or "").startswith("The disk is full."), job.error_message
    assert outcomes(job_id) == ["error", "error", "error", "failed"]
    assert _exported_files(trial) == []


@POSTGRES
def test_28_an_export_past_the_limit_of_files_is_done_once_the_limit_is_lifted(trial: Trial) -> None:
    """The kernel refuses to write: on PostgreSQL with Redis a worker writes no other file."""
    worker = trial.start_worker()
    wait_until(lambda: len(children_of(worker.pid)) == CHILDREN, lambda: "no workers")
    _limit_files(worker.pid, LARGEST_FILE)
    job_id = _ask_big_export(trial)
    wait_until(lambda: "error" in outcomes(job_id), lambda: f"no error: {outcomes(job_id)}")
    message = look_at(job_id).error_message or ""
    _limit_files(worker.pid, resource.RLIM_INFINITY)
    assert message.startswith("The server may not write a file as large as this one."), message
    _judge_export_after_errors(job_id, _export_folder(trial))


def test_28_an_export_on_a_disk_that_is_really_full_is_done_once_there_is_space(
    trial: Trial, tiny_disk: Path
) -> None:
    trial.stack.environment = trial.stack.environment | {"STORAGE_URL": f"file://{tiny_disk}"}
    filler = tiny_disk / "filler"
    filler.write_bytes(bytes(TINY_DISK - LARGEST_FILE))
    trial.start_worker()
    job_id = _ask_big_export(trial)
    wait_until(lambda: "error" in outcomes(job_id), lambda: f"no error: {outcomes(job_id)}")
    message = look_at(job_id).error_message or ""
    filler.unlink()
    assert message.startswith("The disk is full."), message
    _judge_export_after_errors(job_id, tiny_disk / "exports")


@pytest.fixture
def tiny_disk(trial: Trial, tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB. Mounting needs root; without it, the limit of files above shows the same."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk; test_28 with the limit of files needs no root")
    folder = tmp_path / "tiny"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TINY_DISK}", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _limit_files(parent: int, size: int) -> None:
    """Let the workers of a consumer write no file beyond this size; its hard limit stays."""
    for pid in children_of(parent):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _ask_big_export(trial: Trial) -> int:
    stock_up(*(f"P{number}" for number in range(2000)))
    return exports.request_export(trial.actor, "products", "csv").id


def _judge_export_after_errors(job_id: int, folder: Path) -> None:
    """It ended well, after errors that left nothing behind."""
    wait_until(lambda: look_at(job_id).is_final, lambda: "it does not end")
    job = look_at(job_id)
    *errors, last = outcomes(job_id)
    assert (set(errors), last, job.record_count) == ({"error"}, "completed", 2000)
    kept = list(folder.glob("*"))
    assert [path.name for path in kept] == [Path(str(job.file_path)).name]
    assert kept[0].stat().st_size == job.file_size


def test_29_the_file_of_an_export_that_died_before_its_commit_is_an_orphan(trial: Trial) -> None:
    fault = Fault("finishing", "kill", task_type="export")
    stock_up("A")
    job_id = exports.request_export(trial.actor, "products", "csv").id
    trial.start_worker(fault)
    trial.wait_for_fault(fault)
    assert trial.settle(job_id) == "completed"
    kept = _exported_files(trial)
    named = Path(str(look_at(job_id).file_path)).name
    assert [path.name for path in kept if path.name == named] == [named]
    assert len(kept) == 2  # and the one that no row names
    files.sweep_orphans(utc_now() + timedelta(days=1))
    assert [path.name for path in _exported_files(trial)] == [named]


def _exported_files(trial: Trial) -> list[Path]:
    return list(_export_folder(trial).glob("*"))


def _export_folder(trial: Trial) -> Path:
    return Path(trial.stack.environment["DATA_DIR"], "media", "exports")


def test_30_leases_do_not_care_for_the_time_zone_of_a_worker(trial: Trial) -> None:
    gate = Fault("after_batch", "wait", number=2)
    job_id = trial.ask_import()
    trial.start_worker(gate, TZ="America/New_York")
    trial.wait_for_fault(gate)
    trial.start_worker(TZ="Asia/Tokyo")
    wait_until(lambda: look_at(job_id).heartbeat_at is not None, lambda: "no heartbeat")
    trial.open_gate(gate)
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id) == []
