import gzip
from pathlib import Path

from lxml import etree

from tests.pipeline.write_samples import (
    COLUMNS,
    EMPTY_ROW,
    NAUGHTY,
    NAUGHTY_ROWS,
    PLAIN_ROWS,
    TEXTS,
    export,
)
from webapp.pipeline.write_xml import FORBIDDEN

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[2] / "docs" / "export.xsd"))
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def read(data: bytes) -> etree._Element:
    root = etree.fromstring(data, etree.XMLParser(huge_tree=True, resolve_entities=False))
    SCHEMA.assertValid(root)
    return root


def test_every_naughty_text_comes_back_without_what_xml_forbids() -> None:
    data, result = export("xml", NAUGHTY_ROWS)
    records = read(data).findall("record")
    assert result.rows == len(records) == len(NAUGHTY)
    for record, text in zip(records, NAUGHTY, strict=True):
        fields = record.findall("field")
        assert [field.get("name") for field in fields] == [column.name for column in COLUMNS]
        assert {fields[index].text or "" for index in TEXTS} == {FORBIDDEN.sub("", text)}


def test_removed_characters_are_counted() -> None:
    _, result = export("xml", NAUGHTY_ROWS)
    expected = len(TEXTS) * sum(len(FORBIDDEN.findall(text)) for text in NAUGHTY)
    assert [note.params for note in result.notes] == [{"count": expected}]
    assert export("xml", PLAIN_ROWS)[1].notes == ()


def test_the_head_says_what_the_file_is() -> None:
    root = read(export("xml", [], title='A "title" <&>\n\x00')[0])
    assert dict(root.items()) == {
        "version": "1",
        "resource": "products",
        "title": 'A "title" <&>\n',
        "generated": "2026-11-23T15:30:00Z",
    }
    assert dict(root.findall("filter")[0].items()) == {"name": "Category", "value": "Tools & <Parts>"}
    assert [column.get("type") for column in root.findall("column")] == [
        "text", "text", "text", "reference", "email", "choice", "money", "integer", "datetime",
    ]  # fmt: skip
    assert root.findall("record") == []


def test_values_are_exact() -> None:
    fields = read(export("xml", PLAIN_ROWS[:4])[0]).findall("record")[3].findall("field")
    assert [field.text for field in fields[6:]] == ["0.375", "3", "2026-07-01T12:00:03.003000Z"]


def test_missing_values_are_nil() -> None:
    fields = read(export("xml", [EMPTY_ROW])[0]).findall("record")[0].findall("field")
    assert {field.get(NIL) for field in fields} == {"true"}


def test_gzip() -> None:
    packed, _ = export("xml", PLAIN_ROWS, {"gzip": "1"})
    assert gzip.decompress(packed) == export("xml", PLAIN_ROWS)[0]
