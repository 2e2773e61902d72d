"""The version tells one deploy from the next."""

import re
from pathlib import Path

import pytest

from webapp import version


def test_a_version_is_a_number_for_people_and_a_digest_of_the_code() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{8}", version.get_version())


@pytest.mark.parametrize(
    "place", ["webapp/services/deep.py", "tasks/more.py", "config.py", "templates/a.html"]
)
def test_any_change_of_the_code_is_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(version, "ROOT", tmp_path)
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x = 1\n")
    before = version.digest_code()
    (tmp_path / "README.md").write_text("no code")
    assert version.digest_code() == before
    file.write_text("x = 2\n")
    assert version.digest_code() != before


def test_a_running_process_keeps_the_version_that_it_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version.get_version()
    monkeypatch.setattr(version, "ROOT", tmp_path)
    assert version.get_version() == before
