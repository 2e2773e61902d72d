"""Real files, a file by its path, large files, and what importing the reader costs."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.pipeline.read import read_table
from webapp.pipeline.read_table import CHUNK_CHARACTERS

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data with the real files is absent")


@needs_data
@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("northwind/categories.csv", 8, 4),
        ("northwind/suppliers.csv", 29, 12),
        ("northwind/products.csv", 77, 10),
        ("northwind/orders.csv", 2155, 19),
        ("online_retail_sample.csv", 999, 8),
    ],
)
def test_real_file_cell_by_cell(name: str, rows: int, columns: int) -> None:
    path = DATA / name
    table = read_table(path)
    with path.open(encoding="utf-8", newline="") as file:
        expected = list(csv.reader(file))[1:]
    frames = [chunk.frame for chunk in table.chunks(100)]
    assert [row for frame in frames for row in frame.to_numpy().tolist()] == expected
    assert (table.dialect.rows, len(table.columns)) == (rows, columns)
    assert (table.dialect.encoding, table.dialect.delimiter, table.dialect.decimal) == ("utf-8", ",", ".")
    assert (table.dialect.header_line, table.dialect.footer_line, table.dialect.escape) == (1, 0, "")


@needs_data
def test_northwind_orders_name_a_column_twice() -> None:
    table = read_table(DATA / "northwind" / "orders.csv")
    assert table.columns[0] == "OrderID"
    assert table.columns[14] == "OrderID (2)"
    assert table.dialect.date_order == "ymd"
    (notice,) = table.dialect.notices
    assert notice["params"] == {"name": "OrderID", "position": 15, "new": "OrderID (2)"}


@needs_data
def test_online_retail_dates_are_asked() -> None:
    dialect = read_table(DATA / "online_retail_sample.csv").dialect
    assert dialect.get_date_order("InvoiceDate") is None
    assert read_table(DATA / "online_retail_sample.csv", date_order="mdy").dialect.notices != ()


def test_rows_of_long_texts_come_a_few_at_a_time() -> None:
    rows, length = 1000, 20_000
    text = "a,b\n" + "".join(f"{row},{'x' * length}\n" for row in range(rows))
    chunks = list(read_table(io.BytesIO(text.encode())).chunks())
    assert [cell for chunk in chunks for cell in chunk.columns["a"]] == list(map(str, range(rows)))
    assert [line for chunk in chunks for line in chunk.lines] == list(range(2, rows + 2))
    longest = max(sum(map(len, chunk.columns["b"])) for chunk in chunks)
    assert longest < CHUNK_CHARACTERS + 10 * length < rows * length


def test_a_path_and_an_open_file_read_the_same(tmp_path: Path) -> None:
    data = b"a,b\n1,2\n"
    path = tmp_path / "table.bin"
    path.write_bytes(data)
    for source in (path, str(path), io.BytesIO(data)):
        (chunk,) = read_table(source).chunks()
        assert chunk.frame.to_numpy().tolist() == [["1", "2"]]
    with path.open("rb") as file:
        table = read_table(file)
        assert len(list(table.chunks())) == 1
        assert len(list(table.chunks())) == 1
        assert not file.closed


def test_chunks_have_the_size_asked_for() -> None:
    data = "a,b\n" + "".join(f"{number},x\n" for number in range(20_001))
    table = read_table(io.BytesIO(data.encode()))
    chunks = list(table.chunks(5000))
    assert [len(chunk.frame) for chunk in chunks] == [5000, 5000, 5000, 5000, 1]
    assert chunks[-1].frame.index.tolist() == [20_002]
    assert chunks[2].frame.index.tolist() == list(range(10_002, 15_002))
    assert chunks[2].frame["a"].tolist() == [str(number) for number in range(10_000, 15_000)]


def test_records_of_several_lines_across_blocks() -> None:
    cell = "word " * 20 + "\nmore\r\n"
    rows = [[str(number), cell * (number % 7), "z"] for number in range(3000)]
    file = io.StringIO(newline="")
    csv.writer(file).writerows([["n", "text", "z"], *rows])
    source = io.BytesIO(file.getvalue().encode())
    frames = [chunk.frame for chunk in read_table(source).chunks(700)]
    assert [row for frame in frames for row in frame.to_numpy().tolist()] == rows
    lines, line = [], 2
    for row in rows:
        lines.append(line)
        line += 1 + row[1].count("\n")
    assert [one for frame in frames for one in frame.index] == lines


def test_importing_the_reader_is_cheap() -> None:
    code = (
        "import sys, webapp.pipeline.read; "
        "print([name for name in ('pandas', 'numpy', 'flask', 'sqlalchemy', 'python_calamine') if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
