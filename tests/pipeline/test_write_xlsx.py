import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from tests.pipeline.write_samples import (
    COLUMNS,
    EMPTY_ROW,
    NAUGHTY,
    NAUGHTY_ROWS,
    PLAIN_ROWS,
    TEXTS,
    export,
    make_info,
)
from webapp.pipeline import write_xlsx
from webapp.pipeline.formats import WriteProblem
from webapp.pipeline.formula import restore_formula_text

NAMES = [column.name for column in COLUMNS]
DATE = COLUMNS[8:]


def replace_invalid(text: str) -> str:
    return re.sub("[\ud800\ufffe\uffff]", "\ufffd", text)


def read(data: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def read_sheet(data: bytes) -> Worksheet:
    sheet = load_workbook(io.BytesIO(data)).active
    assert isinstance(sheet, Worksheet)
    return sheet


def test_every_naughty_text_comes_back() -> None:
    data, result = export("xlsx", NAUGHTY_ROWS)
    header, *lines = read(data)
    assert header == NAMES
    assert result.rows == len(lines) == len(NAUGHTY)
    for line, text in zip(lines, NAUGHTY, strict=True):
        assert {restore_formula_text(line[index]) for index in TEXTS} == {replace_invalid(text)}
    assert result.notes[0].params == {"count": 3 * len(TEXTS)}


def test_no_cell_is_a_formula_or_a_link() -> None:
    sheet = read_sheet(export("xlsx", NAUGHTY_ROWS)[0])
    for row in sheet.iter_rows(min_row=2):
        for index in TEXTS:
            assert row[index].value is None or row[index].data_type == "s"
            assert row[index].hyperlink is None


def test_cells_are_typed_and_formatted() -> None:
    sheet = read_sheet(export("xlsx", PLAIN_ROWS, timezone="America/Sao_Paulo")[0])
    price, quantity, moment = sheet["G5"], sheet["H5"], sheet["I5"]
    assert (price.value, price.number_format) == (0.375, "#,##0.00##")
    assert (quantity.value, quantity.number_format) == (3, "#,##0")
    assert moment.is_date
    assert moment.value == datetime(2026, 7, 1, 9, 0, 3, 3000)  # noqa: DTZ001 - as people read it there
    assert sheet["A5"].value == "SN-00003"


def test_the_header_is_frozen_bold_and_filtered() -> None:
    sheet = read_sheet(export("xlsx", PLAIN_ROWS)[0])
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.b
    assert sheet.auto_filter.ref == f"A1:I{len(PLAIN_ROWS) + 1}"
    assert sheet.title == "products"


def test_widths_come_from_the_first_rows_within_reason() -> None:
    sheet = read_sheet(export("xlsx", [("x" * 30, "x" * 500, None, None, None, None, None, None, None)])[0])
    assert 31 < sheet.column_dimensions["A"].width < 34
    assert 60 < sheet.column_dimensions["B"].width < 63


def test_numbers_too_long_for_a_float_are_text() -> None:
    rows = [(Decimal("123456789012345.1234"), 2**53, None), (Decimal("99999999999.9999"), 10**15 - 1, None)]
    lines = read(export("xlsx", rows, columns=COLUMNS[6:])[0])[1:]
    assert lines[0][:2] == ["123456789012345.1234", "9007199254740992"]
    assert lines[1][:2] == [99999999999.9999, 999999999999999.0]


def test_moments_come_back_exactly() -> None:
    moments = [datetime(2026, 1, 31, 14, 30, 59, ms * 1000, tzinfo=UTC) for ms in (0, 1, 123, 500, 999)]
    lines = read(export("xlsx", [(moment,) for moment in moments], columns=DATE)[0])[1:]
    assert [line[0].replace(tzinfo=UTC) for line in lines] == moments


def test_moments_that_excel_cannot_tell_are_text() -> None:
    zone = ZoneInfo("Europe/Berlin")
    twice = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 for the second time
    assert twice.astimezone(zone).fold
    rows = [(twice,), (datetime(1899, 5, 1, tzinfo=UTC),), (datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),)]
    lines = read(export("xlsx", rows, columns=DATE, timezone="Europe/Berlin")[0])[1:]
    assert lines == [
        ["2026-10-25 02:30:00+01:00"],
        ["1899-05-01 01:00:00+01:00"],
        ["2026-01-01 01:00:00.000001+01:00"],
    ]


def test_a_table_without_rows_and_a_row_without_values() -> None:
    assert read(export("xlsx", [])[0]) == [NAMES]
    data, result = export("xlsx", [EMPTY_ROW, PLAIN_ROWS[0]])
    assert result.rows == 2
    assert read(data)[1] == [""] * len(COLUMNS)


def test_too_many_rows_are_refused_before_the_first_is_read() -> None:
    def batches() -> Any:
        raise AssertionError("read")
        yield

    with pytest.raises(WriteProblem, match="at most 1,048,575 rows"):
        write_xlsx.write(batches(), COLUMNS, io.BytesIO(), make_info(total=1_048_576), {})


def test_too_many_rows_are_refused_when_nobody_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_xlsx, "MAX_ROWS", 20)
    with pytest.raises(WriteProblem, match="at most 20 rows"):
        export("xlsx", PLAIN_ROWS)


@pytest.mark.parametrize("text", ["x" * 32_768, "🦔" * 16_384, "=" + "x" * 32_766])
def test_a_text_too_long_for_a_cell_names_its_record(text: str) -> None:
    rows = [*PLAIN_ROWS[:9], ("SN-LONG", "Long", text, *PLAIN_ROWS[0][3:])]
    with pytest.raises(WriteProblem, match=r"Description of “SN-LONG” has (32,768|16,384)"):
        export("xlsx", rows)


def test_the_longest_text_fits() -> None:
    rows = [("SN", "x" * 32_767, "🦔" * 16_383, *PLAIN_ROWS[0][3:])]
    assert [len(cell) for cell in read(export("xlsx", rows)[0])[1][1:3]] == [32_767, 16_383]
