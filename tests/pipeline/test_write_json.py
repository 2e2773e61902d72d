import gzip
import json
from decimal import Decimal
from typing import Any

import pytest

from tests.pipeline.write_samples import (
    COLUMNS,
    EMPTY_ROW,
    NAUGHTY,
    NAUGHTY_ROWS,
    PLAIN_ROWS,
    TEXTS,
    export,
    replace_surrogates,
)

FORMATS = ("json", "ndjson")
NAMES = [column.name for column in COLUMNS]


def read(name: str, data: bytes, **options: Any) -> list[dict[str, Any]]:
    text = data.decode()
    if name == "json":
        records = json.loads(text, **options)
        assert isinstance(records, list)
        return records
    return [json.loads(line, **options) for line in text.split("\n")[:-1]]


@pytest.mark.parametrize("name", FORMATS)
def test_every_naughty_text_comes_back(name: str) -> None:
    data, result = export(name, NAUGHTY_ROWS)
    records = read(name, data)
    assert result.rows == len(records) == len(NAUGHTY)
    for record, text in zip(records, NAUGHTY, strict=True):
        assert list(record) == NAMES
        assert {record[NAMES[index]] for index in TEXTS} == {replace_surrogates(text)}
    assert result.notes[0].params == {"count": len(TEXTS)}


@pytest.mark.parametrize("name", FORMATS)
def test_one_object_a_line(name: str) -> None:
    data, _ = export(name, PLAIN_ROWS)
    lines = data.decode().splitlines()
    assert len(lines) == len(PLAIN_ROWS) + (2 if name == "json" else 0)


@pytest.mark.parametrize("name", FORMATS)
def test_amounts_are_exact_text_or_numbers_with_all_their_digits(name: str) -> None:
    rows = [(Decimal("999999999999999.1234"), -5, None), (Decimal("12.3000"), 2**53, None)]
    text = read(name, export(name, rows, columns=COLUMNS[6:])[0])
    assert [record["cost_price"] for record in text] == ["999999999999999.1234", "12.30"]
    assert [record["quantity"] for record in text] == [-5, 2**53]
    numbers = read(name, export(name, rows, {"numbers": "number"}, COLUMNS[6:])[0], parse_float=Decimal)
    assert [record["cost_price"] for record in numbers] == [rows[0][0], Decimal("12.30")]


@pytest.mark.parametrize("name", FORMATS)
def test_missing_values_are_null(name: str) -> None:
    for numbers in ("string", "number"):
        records = read(name, export(name, [EMPTY_ROW], {"numbers": numbers})[0])
        assert records == [dict.fromkeys(NAMES)]


def test_moments_are_rfc_3339_in_utc() -> None:
    record = read("json", export("json", PLAIN_ROWS[:2], timezone="America/Sao_Paulo")[0])[1]
    assert record["occurred_at"] == "2026-07-01T12:00:01.001000Z"


def test_whole_numbers_of_any_size() -> None:
    data, _ = export("json", [(None, 2**80, None)], columns=COLUMNS[6:])
    assert read("json", data)[0]["quantity"] == 2**80


def test_a_table_without_rows() -> None:
    assert export("json", [])[0] == b"[\n]\n"
    assert export("ndjson", [])[0] == b""


@pytest.mark.parametrize("name", FORMATS)
def test_gzip(name: str) -> None:
    packed, _ = export(name, PLAIN_ROWS, {"gzip": "yes"})
    assert gzip.decompress(packed) == export(name, PLAIN_ROWS)[0]
