"""An import taken up again: its file, its decisions, and a person before a row is saved."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.imports import apply, bring_in, counts, reload_import, start, upload
from tests.support.jobs import ask, look_at
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.extensions import db
from webapp.models import Category, Change, DataImport, User
from webapp.services import files, imports, job_actions
from webapp.services.import_again import prepare_import_again

pytestmark = on_both_databases
FILE = "name,about\nTools,hammers\nToys,bears\n"
MAPPING = {
    "name": {"column": "name", "default": "", "values": {}},
    "description": {"column": "about", "default": "", "values": {}},
}


def test_the_same_file_is_imported_again_once_a_person_starts_it(session: Session, editor: User) -> None:
    job = bring_in(editor, "categories", FILE, MAPPING)
    assert "import_again" in job_actions.list_actions("completed", job)
    made = prepare_import_again(editor, job.task_id)
    old = db.session.get_one(DataImport, job.data_import_id)
    assert (made.state, made.mapping, made.file_name) == ("inspected", MAPPING, old.file_name)
    assert (made.sha256, made.file_path != old.file_path) == (old.sha256, True)
    assert imports.latest_job(made) is None
    assert counts(apply(editor, made)) == (0, 0, 2, 0)
    assert db.session.scalar(select(func.count()).select_from(Category)) == 2
    actions = select(Change.action).where(Change.resource == "jobs")
    assert list(db.session.scalars(actions)) == ["import_again"]


def test_what_has_not_ended_or_is_no_import_is_not_taken_up_again(session: Session, editor: User) -> None:
    data_import = upload(editor, "categories", FILE)
    waiting = start(editor, data_import)
    with pytest.raises(Conflict):
        prepare_import_again(editor, waiting.task_id)
    export = ask(editor, "export")
    assert "import_again" not in job_actions.list_actions("completed", waiting)
    with pytest.raises(Conflict):
        prepare_import_again(editor, look_at(export).task_id)


def test_a_file_that_is_gone_is_said_and_leaves_nothing(session: Session, editor: User) -> None:
    job = bring_in(editor, "categories", FILE)
    found = reload_import(db.session.get_one(DataImport, job.data_import_id))
    files.delete(str(found.file_path))
    with pytest.raises(Conflict, match="no longer kept"):
        prepare_import_again(editor, job.task_id)
    assert db.session.scalar(select(func.count()).select_from(DataImport)) == 1


def test_who_may_not_import_may_not_do_it_again(
    session: Session, editor: User, viewer: User, stranger: User
) -> None:
    job = bring_in(editor, "categories", FILE)
    with pytest.raises(Forbidden):
        prepare_import_again(viewer, job.task_id)
    with pytest.raises(NotFound):
        prepare_import_again(stranger, job.task_id)
