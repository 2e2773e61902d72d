"""JSON arrays and NDJSON, streamed, with every digit kept."""

import io
import json
from typing import Any

import pytest

from webapp.pipeline.read import ReadProblem, Table, read_table


def read_rows(data: bytes | str, **overrides: Any) -> tuple[Table, dict[int, list[str]], dict[int, str]]:
    source = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    table = read_table(source, **overrides)
    rows: dict[int, list[str]] = {}
    problems: dict[int, str] = {}
    for chunk in table.chunks(2):
        rows |= dict(zip(chunk.frame.index, chunk.frame.to_numpy().tolist(), strict=True))
        problems |= {line: str(problem) for line, problem in chunk.problems.items()}
    return table, rows, problems


ARRAY = '[{"a": "x", "b": 1}, {"b": null, "c": true},\n {"a": "=1", "b": 123456789012345678.1234}]'


def test_array() -> None:
    table, rows, problems = read_rows(ARRAY)
    assert table.dialect.kind == "json"
    assert table.columns == ["a", "b", "c"]
    assert rows == {2: ["x", "1", ""], 3: ["", "", "true"], 4: ["=1", "123456789012345678.1234", ""]}
    assert problems == {}
    assert table.dialect.rows == 3
    assert table.sample[0] == (2, {"a": "x", "b": "1", "c": ""})
    assert [list(chunk.frame.index) for chunk in table.chunks(start_line=3)] == [[4]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("indent", [None, 2])
def test_array_in_every_dress(encoding: str, indent: int | None) -> None:
    records = [{"a": f"é{number}", "b": "'x"} for number in range(5)]
    _, rows, _ = read_rows(json.dumps(records, indent=indent, ensure_ascii=False).encode(encoding))
    assert rows == {number + 2: [f"é{number}", "'x"] for number in range(5)}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1.10", "1.10"),
        ("-0.5", "-0.5"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("1e999999999", "1e999999999"),
        ("0", "0"),
        ("9" * 50, "9" * 50),
    ],
)
def test_numbers_keep_their_digits(written: str, text: str) -> None:
    assert read_rows(f'[{{"a": {written}}}]')[1] == {2: [text]}


def test_ndjson_keeps_physical_lines_and_reports_each_bad_one() -> None:
    data = '{"a": 1, "b": "x"}\n\n{"a": 2}\r\nnonsense\n[1]\n{"a": [1], "b": 5}\n{"a": "\\u0000"}\n{"b": 3}'
    table, rows, problems = read_rows(data)
    assert table.dialect.kind == "ndjson"
    assert {line: row for line, row in rows.items() if line not in problems} == {
        1: ["1", "x"],
        3: ["2", ""],
        8: ["", "3"],
    }
    assert problems.keys() == {4, 5, 6, 7}
    assert "not a JSON object" in problems[4]
    assert "not an object" in problems[5]
    assert "“a” holds a list" in problems[6]
    assert "NUL" in problems[7]


def test_elements_that_are_no_records_are_reported() -> None:
    _, _, problems = read_rows('[{"a": 1}, 5, {"a": {"b": 1}}, "x"]')
    assert problems.keys() == {3, 4, 5}


def test_records_that_the_buffer_cuts_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [{"a": f"{number}]}}[{{,", "b": number * 1111} for number in range(50)]
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr("webapp.pipeline.json_window._BLOCK", size)
        _, rows, _ = read_rows(json.dumps(records, indent=1))
        assert list(rows.values()) == [[str(value) for value in record.values()] for record in records]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('[\n{"a": 1},\n{"a": 2\n]', "beyond line 4"),
        ('[{"a": 1}\n', "beyond line 2"),
        ('[{"a": 1}\n{"a": 2}]', "beyond line 2"),
        ('[{"a": 1},]', "beyond line 1"),
        ("[]", "no records"),
        ("[[1, 2]]", "no records"),
        ("[" * 100_000, "beyond line 1"),
    ],
)
def test_broken_arrays_name_the_line(data: str, text: str) -> None:
    with pytest.raises(ReadProblem) as caught:
        read_rows(data)
    assert text in str(caught.value)
