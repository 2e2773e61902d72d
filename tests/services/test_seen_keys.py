"""Which keys a job has met: all of them, by their lines, in little memory."""

import tracemalloc

import pytest

from webapp.services.seen_keys import SeenKeys


def test_every_key_is_found_again_with_its_line_and_no_other() -> None:
    seen = SeenKeys()
    keys = [(f"S-{number}", number % 7) for number in range(5000)]
    for start in range(0, len(keys), 37):
        assert seen.find(keys[start : start + 37]) == {}
        seen.add({key: line for line, key in enumerate(keys[start : start + 37], start)})
    assert seen.find(keys) == {key: line for line, key in enumerate(keys)}
    assert seen.find([("S-1", 2), ("S-5000", 2), ("S-1", 1)]) == {("S-1", 1): 1}
    assert len(seen._runs) <= 14  # each at least twice as long as the next


def test_nothing_is_known_of_nothing() -> None:
    seen = SeenKeys()
    seen.add({})
    assert seen.find([]) == seen.find([("S-1", 1)]) == {}


@pytest.mark.slow
def test_a_million_keys_take_twelve_megabytes_and_few_more_on_the_way() -> None:
    seen = SeenKeys()
    most = 0
    tracemalloc.start()
    try:
        for start in range(0, 1_000_000, 2000):
            lines = {(number,): number for number in range(start, start + 2000)}
            tracemalloc.reset_peak()
            seen.add(lines)
            held, peak = tracemalloc.get_traced_memory()
            most = max(most, peak - held)
    finally:
        tracemalloc.stop()
    assert most < 6_000_000
    assert len(seen._runs) < 20
    assert sum(hashes.nbytes + lines.nbytes for hashes, lines in seen._runs) == 12_000_000
    assert seen.find([(999_999,), (1_000_000,)]) == {(999_999,): 999_999}
