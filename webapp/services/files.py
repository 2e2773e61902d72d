"""Uploaded and produced files: kept under random names, outside the web root, on a disk or in a bucket.

A row publishes a file by naming it; a sweep removes what no row names. A reader never sees half a file.
"""

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import select, update

from webapp.database import write_transaction
from webapp.errors import NotFound, Problem
from webapp.extensions import db, settings
from webapp.models import DataImport, TaskNotification
from webapp.resources.base import N_

COPY_BYTES = 1 << 20
# How stores name the moment of the last write: disks, S3, Azure, Google Cloud, memory.
WRITTEN_AT = ("mtime", "LastModified", "last_modified", "updated", "created")
FREE_DISK_FLOOR = 100 << 20  # bytes that must stay free on the server's disk


def new_path(folder: str, extension: str) -> str:
    """Return a name that nobody can guess, such as ``exports/x3…f.csv``."""
    return f"{folder}/{secrets.token_urlsafe(24)}.{extension}"


@contextmanager
def open_for_writing(path: str) -> Iterator[BinaryIO]:
    """Open a new file; it is safe on the disk when the block ends, and gone when the block raises."""
    _refuse_full_disk()
    filesystem, full = _locate(path)
    if isinstance(filesystem, LocalFileSystem):
        Path(full).parent.mkdir(parents=True, exist_ok=True)
    try:
        with filesystem.open(full, "wb") as file:
            yield cast("BinaryIO", file)
            file.flush()
            if isinstance(filesystem, LocalFileSystem):
                os.fsync(file.fileno())
    except BaseException:
        delete(path)
        raise


@contextmanager
def open_for_reading(path: str) -> Iterator[BinaryIO]:
    """Open a kept file, seekable. NotFound when it is gone."""
    filesystem, full = _locate(path)
    try:
        with filesystem.open(full, "rb") as file:
            yield cast("BinaryIO", file)
    except FileNotFoundError:
        raise NotFound(path) from None


@contextmanager
def local_path(path: str) -> Iterator[Path]:
    """Give a kept file a path on this machine's disk, fetching it first where it is in a bucket."""
    filesystem, full = _locate(path)
    if isinstance(filesystem, LocalFileSystem):
        yield Path(full)
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "file")
        with open_for_reading(path) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, COPY_BYTES)
        yield target


def keep_upload(stream: IO[bytes], folder: str, extension: str, max_bytes: int) -> tuple[str, int, str]:
    """Store an upload and return its path, its size in bytes and its SHA-256. Problem when it is too big."""
    path = new_path(folder, extension)
    digest, size = hashlib.sha256(), 0
    with open_for_writing(path) as target:
        while block := stream.read(COPY_BYTES):
            size += len(block)
            if size > max_bytes:
                raise Problem(
                    N_("The file is larger than %(limit)s MB, the limit here."),
                    N_("Split it, or ask an administrator to raise MAX_UPLOAD_MB."),
                    limit=max_bytes >> 20,
                )
            digest.update(block)
            target.write(block)
    return path, size, digest.hexdigest()


def measure(path: str) -> tuple[int, str]:
    """Return size in bytes and SHA-256 of a kept file, as it can be read back."""
    digest, size = hashlib.sha256(), 0
    with open_for_reading(path) as file:
        while block := file.read(COPY_BYTES):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def is_kept(path: str) -> bool:
    """Whether the file is still there."""
    filesystem, full = _locate(path)
    return bool(filesystem.exists(full))


def delete(path: str) -> None:
    """Remove a file if it is there."""
    filesystem, full = _locate(path)
    try:
        filesystem.rm_file(full)
    except FileNotFoundError:
        return


def sweep_expired(now: datetime) -> int:
    """Delete the files of exports whose time is over; return how many."""
    with write_transaction() as session:
        rows = session.execute(
            select(TaskNotification.id, TaskNotification.file_path)
            .where(TaskNotification.file_path.is_not(None), TaskNotification.expires_at < now)
            .limit(200)
        ).all()
        session.execute(
            update(TaskNotification)
            .where(TaskNotification.id.in_([row.id for row in rows]))
            .values(file_path=None)
            .execution_options(synchronize_session=False)
        )
    for row in rows:
        delete(row.file_path)
    return len(rows)


def sweep_orphans(now: datetime, *, older_than: timedelta = timedelta(hours=6)) -> int:
    """Delete old files that no row names, left by crashes; return how many."""
    removed = 0
    for folder in ("exports", "imports"):
        filesystem, full = _locate(folder)
        if not filesystem.exists(full):
            continue
        for entry in filesystem.ls(full, detail=True):
            path = f"{folder}/{entry['name'].rsplit('/', 1)[-1]}"
            if _age(entry, now) > older_than and not _is_named(path):
                delete(path)
                removed += 1
    return removed


def _age(entry: dict[str, Any], now: datetime) -> timedelta:
    changed = next((entry[name] for name in WRITTEN_AT if entry.get(name)), now)
    if isinstance(changed, str):
        changed = datetime.fromisoformat(changed)
    moment = changed if isinstance(changed, datetime) else datetime.fromtimestamp(changed, now.tzinfo)
    return now - (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo))


def _is_named(path: str) -> bool:
    exports = select(TaskNotification.id).where(TaskNotification.file_path == path)
    imports = select(DataImport.id).where(DataImport.file_path == path)
    return db.session.scalar(exports.limit(1)) is not None or db.session.scalar(imports.limit(1)) is not None


def _locate(path: str) -> tuple[Any, str]:
    if ".." in path or path.startswith("/"):
        raise NotFound(path)
    root = settings().storage_url or str(settings().data_dir / "media")
    filesystem, base = fsspec.core.url_to_fs(root)
    return filesystem, f"{base.rstrip('/')}/{path}"


def _refuse_full_disk() -> None:
    if measure_free_disk() < FREE_DISK_FLOOR:
        raise OSError(28, "No space left on device", str(settings().data_dir))


def measure_free_disk() -> int:
    """Return the bytes that are free where this process keeps its files, and the embedded database is."""
    folder = settings().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free


def digest_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
