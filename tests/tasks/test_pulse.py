"""The pulse: what counts as silence."""

import os
import time

from tasks import pulse
from tasks.pulse import LONGEST_LOOK_SECONDS, Pulse


def test_silence_is_what_was_watched_without_a_beat() -> None:
    felt = Pulse()
    felt._beat_once()
    assert [felt.measure_silence(now) for now in (100.0, 100.5, 101.0)] == [0.0, 0.5, 1.0]
    felt._beat_once()
    assert [felt.measure_silence(now) for now in (101.5, 102.0)] == [0.0, 0.5]


def test_a_gap_in_the_watching_says_nothing() -> None:
    felt = Pulse()
    felt._beat_once()
    felt.measure_silence(100.0)
    assert felt.measure_silence(8_000.0) == LONGEST_LOOK_SECONDS


def test_who_has_not_begun_is_not_silent() -> None:
    felt = Pulse()
    assert [felt.measure_silence(now) for now in (100.0, 100.5, 101.0)] == [0.0, 0.0, 0.0]


def test_a_child_is_felt_through_the_fork() -> None:
    felt = Pulse()
    child = os.fork()
    if child == 0:
        felt._beat_once()
        os._exit(0)
    os.waitpid(child, 0)
    felt.measure_silence(100.0)
    assert felt._seen == 1


def test_it_beats_by_itself() -> None:
    felt = Pulse()
    felt.start()
    time.sleep(0.1)
    felt.measure_silence()
    assert felt._seen == 1
    time.sleep(pulse.BEAT_SECONDS * 1.5)
    assert felt.measure_silence() == 0
