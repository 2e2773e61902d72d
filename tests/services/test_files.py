"""Files: random names, nothing half written, nothing kept that no row names."""

import io
import os
import shutil
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from config import Settings
from tests.support.houses import MakeApp
from tests.support.jobs import ask, carry_out, change, look_at
from webapp.errors import NotFound, Problem
from webapp.models import User
from webapp.models.base import utc_now
from webapp.services import files, maintenance

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - what shutil answers


@pytest.fixture
def media(settings: Settings) -> Path:
    """The folder of kept files."""
    return settings.data_dir / "media"


def keep(text: bytes = b"hello") -> str:
    """Keep a small file and return its path."""
    return files.keep_upload(io.BytesIO(text), "imports", "upload", 1000)[0]


def kept(media: Path) -> list[str]:
    """Return the paths of all kept files."""
    return sorted(path.relative_to(media).as_posix() for path in media.glob("*/*"))


def test_a_kept_file_is_read_back_whole(session: Session) -> None:
    path, size, sha256 = files.keep_upload(io.BytesIO(b"hello"), "imports", "upload", 1000)
    with files.open_for_reading(path) as file:
        assert file.read() == b"hello"
    assert (size, sha256) == files.measure(path)
    files.delete(path)


def test_no_two_files_get_the_same_name_and_none_can_be_guessed(session: Session) -> None:
    names = {files.new_path("exports", "csv") for _ in range(100)}
    assert len(names) == 100
    assert min(len(name) for name in names) > 36


def test_an_upload_that_turns_out_too_big_leaves_nothing(session: Session, media: Path) -> None:
    with pytest.raises(Problem, match="larger than 0 MB"):
        keep(b"x" * 1001)
    assert kept(media) == []


def test_a_file_whose_writing_fails_leaves_nothing(session: Session, media: Path) -> None:
    path = files.new_path("exports", "csv")
    with pytest.raises(RuntimeError), files.open_for_writing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert kept(media) == []


def test_a_full_disk_is_refused_before_writing(
    session: Session, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 9, files.FREE_DISK_FLOOR - 1))
    with pytest.raises(OSError, match="No space left"):
        keep()
    assert kept(media) == []


@pytest.mark.parametrize("path", ["../secret_key", "exports/../../secret_key", "/etc/passwd"])
def test_no_path_leads_out_of_the_store(session: Session, path: str) -> None:
    with pytest.raises(NotFound), files.open_for_reading(path):
        pass


def test_a_file_that_is_gone_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound), files.open_for_reading("exports/gone.csv"):
        pass
    assert not files.is_kept("exports/gone.csv")
    files.delete("exports/gone.csv")


def test_the_files_of_expired_exports_are_swept_and_their_jobs_stay(
    session: Session, media: Path, editor: User
) -> None:
    now, paths = utc_now(), [keep(), keep()]
    jobs = [ask(editor), ask(editor)]
    for job_id, path, age in zip(jobs, paths, (-1, 1), strict=True):
        change(job_id, file_path=path, expires_at=now + timedelta(hours=age))
    assert files.sweep_expired(now) == 1
    assert kept(media) == [paths[1]]
    assert files.sweep_expired(now) == 0


def test_orphans_are_swept_once_they_are_old_enough(session: Session, media: Path, editor: User) -> None:
    orphan, young, named = keep(), keep(), keep()
    change(ask(editor), file_path=named)
    for path in (orphan, named):
        hours_ago = (utc_now() - timedelta(hours=7)).timestamp()
        os.utime(media / path, (hours_ago, hours_ago))
    assert files.sweep_orphans(utc_now()) == 1
    assert kept(media) == sorted([young, named])
    files.delete(young)


def test_maintenance_sweeps_as_a_job(session: Session, media: Path, editor: User) -> None:
    path = keep()
    change(ask(editor), file_path=path, expires_at=utc_now() - timedelta(hours=1))
    job_id = ask(task_type="maintenance")
    carry_out(job_id, maintenance.run_maintenance)
    assert (look_at(job_id).status, look_at(job_id).record_count, kept(media)) == ("completed", 1, [])


def test_another_store_is_used_when_the_settings_name_one(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(STORAGE_URL=f"file://{tmp_path}/elsewhere")
    (tmp_path / "elsewhere" / "imports").mkdir(parents=True)
    with app.app_context():
        path = keep()
        assert (tmp_path / "elsewhere" / path).read_bytes() == b"hello"
        with files.local_path(path) as local:
            assert local.read_bytes() == b"hello"


def test_orphans_and_expired_files_leave_an_object_store_too(make_app: MakeApp) -> None:
    app = make_app(STORAGE_URL="memory://sweeps")
    with app.app_context():
        orphan, named, over = keep(), keep(), keep()
        change(ask(), file_path=named)
        change(ask(), file_path=over, expires_at=utc_now() - timedelta(seconds=1))
        assert files.sweep_expired(utc_now()) == 1
        assert [files.is_kept(path) for path in (orphan, named, over)] == [True, True, False]
        assert files.sweep_orphans(utc_now() + timedelta(hours=5)) == 0
        assert files.sweep_orphans(utc_now() + timedelta(hours=7)) == 1
        assert [files.is_kept(path) for path in (orphan, named)] == [False, True]


@pytest.mark.parametrize("name", files.WRITTEN_AT)
@pytest.mark.parametrize("style", ["moment", "seconds", "text", "naive"])
def test_every_store_says_in_its_way_how_old_a_file_is(name: str, style: str) -> None:
    now = utc_now()
    written = now - timedelta(hours=7)
    shapes = {
        "moment": written,
        "seconds": written.timestamp(),
        "text": written.isoformat(),
        "naive": written.replace(tzinfo=None),
    }
    age = files._age({name: shapes[style]}, now)
    assert abs(age - timedelta(hours=7)) < timedelta(seconds=1)
