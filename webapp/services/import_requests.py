"""Asking for an import as one job: a file and all decisions at once, as the command line and the API have them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from sqlalchemy.orm import Session

from webapp.errors import Invalid
from webapp.models import TaskNotification, User
from webapp.pipeline.check import parse_mapping
from webapp.resources.base import N_
from webapp.resources.registry import IMPORTABLE
from webapp.resources.types import Problem
from webapp.services import files, imports
from webapp.services.accounts import require_role
from webapp.services.idempotency import create_once, find_answered
from webapp.services.import_options import check_options
from webapp.services.import_overrides import check_overrides


@dataclass(frozen=True)
class ImportRequest:
    """What is to be done with a file. Without a mapping the proposed one is taken."""

    resource: str
    file_name: str
    mapping: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    confirm_repeat: bool = False


def request_import(
    actor: User, stream: IO[bytes], asked: ImportRequest, *, key: str = "", claimed_by: str | None = None
) -> TaskNotification:
    """Keep a file and create the job that inspects, checks and applies it.

    Everything that can be wrong with the request is said here: Invalid by names, Problem about the file.
    A request whose ``key`` came before returns its job.
    """
    require_role(actor, "editor")
    options, overrides = _check(asked)
    digest = _digest(asked, stream) if key else ""
    if (found := find_answered(actor, key, digest)) is not None:
        return found
    with imports.kept_upload(actor, asked.resource, stream, asked.file_name) as data_import:
        path = str(data_import.file_path)

        def create(session: Session) -> TaskNotification:
            data_import.mapping = dict(asked.mapping) if asked.mapping else None
            data_import.options, data_import.overrides = options, overrides
            session.add(data_import)
            session.flush()
            return imports.start_job(
                session,
                actor,
                data_import,
                "import",
                claimed_by=claimed_by,
                at_once=True,
                confirm_repeat=asked.confirm_repeat,
            )

        job = create_once(actor, key, digest, create)
        if job.data_import_id != data_import.id:  # the same request was quicker, and so has its own copy
            files.delete(path)
        return job


def _check(asked: ImportRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return options and decisions about the reading. Invalid names what cannot be taken."""
    if asked.resource not in IMPORTABLE:
        known = ", ".join(IMPORTABLE)
        problem = Problem(
            N_("There is no resource “%(value)s”."),
            N_("Use one of: %(known)s."),
            value=asked.resource,
            known=known,
        )
        raise Invalid({"resource": problem})
    resource = IMPORTABLE[asked.resource]
    if asked.mapping is not None:
        columns = [_find_column(name, rule) for name, rule in asked.mapping.items()]
        try:  # whether the file has the columns is known when it is read
            parse_mapping(imports.mappable_fields(resource), asked.mapping, columns)
        except Problem as problem:
            raise Invalid({"mapping": problem}) from None
    return check_options(resource, asked.options), check_overrides(asked.overrides)


def _find_column(name: str, rule: Any) -> str:
    """Return the column that a rule names, if any. Invalid when it is no rule at all."""
    if rule is None or isinstance(rule, str):
        return rule or ""
    if isinstance(rule, dict):
        column, default, values = (rule.get(part) for part in ("column", "default", "values"))
        is_known = not rule.keys() - {"column", "default", "values"}
        are_texts = isinstance(column or "", str) and isinstance(default or "", str)
        if is_known and are_texts and isinstance(values or {}, dict):
            return column or ""
    raise Invalid(
        {
            f"mapping.{name}": Problem(
                N_("This is neither a column's name nor an object."),
                N_('Write {"column": "…", "default": "…", "values": {"word": "meaning"}}.'),
            )
        }
    )


def _digest(asked: ImportRequest, stream: IO[bytes]) -> str:
    """Return what tells one request from another: every decision and every byte."""
    digest = hashlib.sha256(json.dumps(asdict(asked), sort_keys=True, default=str).encode())
    while block := stream.read(files.COPY_BYTES):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()
