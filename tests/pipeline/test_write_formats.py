import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.write_samples import COLUMNS, PLAIN_ROWS, make_info
from webapp.pipeline.formats import FORMATS, get_format
from webapp.resources.types import Problem

ROOT = Path(__file__).parents[2]


def test_formats_in_the_order_of_the_page() -> None:
    assert list(FORMATS) == ["csv", "xlsx", "json", "ndjson", "xml", "pdf"]
    assert all(name == format_.name for name, format_ in FORMATS.items())


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(Problem, match=r"no format “doc”.*csv, xlsx, json"):
        get_format("doc")


def test_options_have_defaults() -> None:
    assert get_format("csv").clean_options({}) == {
        "preset": "none",
        "delimiter": "comma",
        "decimal": "point",
        "bom": False,
        "gzip": False,
    }


def test_options_are_cleaned_and_a_preset_wins() -> None:
    options = get_format("csv").clean_options({"preset": "excel_brazil", "delimiter": "Tab", "gzip": "on"})
    assert options["delimiter"] == "semicolon"
    assert options["decimal"] == "comma"
    assert options["bom"] is True
    assert options["gzip"] is True


@pytest.mark.parametrize(
    "options", [{"delimiter": "pipe"}, {"bom": "perhaps"}, {"colour": "red"}, {"numbers": "x"}]
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(Problem):
        get_format("csv").clean_options(options)


def test_extension_and_media_type() -> None:
    format_ = get_format("json")
    assert format_.get_extension({"gzip": False}) == "json"
    assert format_.get_extension({"gzip": True}) == "json.gz"
    assert format_.get_mimetype({"gzip": True}) == "application/gzip"
    assert format_.get_mimetype({}) == "application/json"


@pytest.mark.parametrize("name", ["csv", "xlsx", "json", "ndjson", "xml"])
def test_batches_are_taken_one_by_one_and_errors_pass_through(name: str) -> None:
    class Cancelled(Exception):
        pass

    taken = 0

    def batches() -> Iterator[Any]:
        nonlocal taken
        for _ in range(3):
            taken += 1
            yield PLAIN_ROWS[:10]
        raise Cancelled

    format_ = get_format(name)
    for gzip in (False, True):
        options = format_.clean_options({"gzip": gzip} if gzip and not format_.binary else {})
        with pytest.raises(Cancelled):
            format_.writer(batches(), COLUMNS, io.BytesIO(), make_info(), options)
    assert taken == 6


def test_heavy_libraries_are_not_loaded_with_the_list() -> None:
    code = (
        "import sys, webapp.pipeline.formats;"
        "print([m for m in ('pandas','numpy','xlsxwriter','weasyprint','pypdf','fontTools','flask','sqlalchemy')"
        " if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
