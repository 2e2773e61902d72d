"""What an export writes, an import takes back: every row of every resource is found unchanged, text and all."""

import io

import pytest
from sqlalchemy.orm import Session

from tests.pipeline.write_samples import NAUGHTY
from tests.support.databases import on_both_databases
from tests.support.factories import actions, complaints, product, save
from tests.support.houses import drain_queue
from tests.support.imports import apply, counts, reload_import
from tests.support.jobs import look_at
from webapp.models import User
from webapp.pipeline.formats import FORMATS, Format
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Problem, Text, fold_key
from webapp.services import files, imports
from webapp.services.export_requests import request_export

pytestmark = [on_both_databases, pytest.mark.slow]

NONCHARACTERS = frozenset("\ufffe\uffff")
IMPORTABLE = [format_ for format_ in FORMATS.values() if format_.is_importable]


def find_storable(max_length: int) -> list[str]:
    """Return the naughty texts that a field takes, each once.

    The database holds no NUL and no lone surrogate, and XLSX no U+FFFE and U+FFFF: those are replaced, and the
    job's note counts them.
    """
    texts = {}
    for naughty in NAUGHTY:
        try:
            text = Text(max_length).parse(naughty)
            text.encode()
        except (Problem, UnicodeEncodeError):
            continue
        if text and not NONCHARACTERS & set(text):
            texts[fold_key(text)] = text
    return list(texts.values())


def fill_naughty_shop() -> int:
    """Save a shop in which every text field of every resource holds each naughty text; return how many there are."""
    names, longs, shorts = find_storable(255), find_storable(10_000), find_storable(50)
    numbered = list(enumerate(names))

    def long(number: int) -> str:
        return longs[number % len(longs)]

    saved = [
        *save("categories", *({"name": name, "description": long(n)} for n, name in numbered)),
        *save("brands", *({"name": name, "description": long(n + 1)} for n, name in numbered)),
        *save(
            "product_models",
            *({"brand": name, "name": name, "description": long(n + 2)} for n, name in numbered),
        ),
        *save(
            "suppliers",
            *(
                {"name": name, "phone": shorts[n % len(shorts)], "email": "a+b@c.example", "description": long(n)}
                for n, name in numbered
            ),
        ),
        *save(
            "products",
            *(
                product(
                    name, title=name, description=long(n), category=name, brand=name, product_model=name, quantity=9
                )
                for n, name in numbered
            ),
        ),
        *save(
            "inflows",
            *({"reference": name, "product": name, "supplier": name, "quantity": 3} for _, name in numbered),
        ),
        *save(
            "outflows",
            *({"reference": name, "product": name, "reason": name, "quantity": 2} for _, name in numbered),
        ),
    ]  # fmt: skip
    assert set(actions(saved)) == {"created"}, complaints(saved)
    return len(names)


@pytest.mark.parametrize("format_", IMPORTABLE, ids=lambda format_: format_.name)
def test_importing_an_export_changes_nothing_whatever_the_texts(
    session: Session, editor: User, format_: Format
) -> None:
    texts = fill_naughty_shop()
    for resource in RESOURCES:
        job_id = request_export(editor, resource, format_.name).id
        drain_queue()
        job = look_at(job_id)
        assert job.file_path, job.error_message
        with files.open_for_reading(job.file_path) as file:
            data = file.read()
        upload = imports.create_import(editor, resource, io.BytesIO(data), f"file.{format_.extension}")
        drain_queue()
        again = apply(editor, reload_import(upload))
        assert again.status == "completed", (resource, again.error_message)
        assert counts(again) == (0, 0, job.record_count, 0), resource
        assert (job.record_count or 0) >= texts
