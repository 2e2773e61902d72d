"""Every text of the pages exists in every language, and a page speaks the reader's language throughout."""

import ast
import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from jinja2 import Environment

from config import ROOT
from tests.support.factories import product, save
from tests.support.houses import drain_queue, sign_in
from tests.support.pages import post, soup
from webapp.filters import advice, sentence
from webapp.locale import LANGUAGES
from webapp.models import User
from webapp.pipeline.pdf_values import get_translations
from webapp.resources.registry import RESOURCES, get_resource
from webapp.resources.types import Problem
from webapp.services import exports

TRANSLATIONS = ROOT / "webapp" / "translations"
TRANSLATED = [language for language in LANGUAGES if language != "en"]
BRAZILIAN = {"Accept-Language": "pt-BR,pt;q=0.9,en;q=0.5"}
PLACE = re.compile(r"%\(\w+\)s")
SPEAKING = frozenset(
    {"Problem", "ReadProblem", "WriteProblem", "Conflict", "Note", "Phrase", "make_notice", "flash"}
)
NAMES = frozenset({"Stockroom", "OpenAPI"})
PAGES = [
    "/",
    "/products/",
    "/imports/",
    "/imports/new",
    "/exports/new",
    "/jobs/",
    "/notifications/",
    "/nothing",
]


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The texts that ``make translations`` finds."""
    file = tmp_path_factory.mktemp("texts") / "messages.pot"
    recipe = (ROOT / "Makefile").read_text().partition("\ntranslations:")[2].partition("\n\n")[0]
    keywords = re.findall(r"--keywords '([^']+)'", recipe)
    command = [sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract", "--keywords", *keywords]
    command += ["--mapping", TRANSLATIONS / "babel.cfg", "--no-location", "--output", file, "."]
    subprocess.run(command, cwd=ROOT, check=True)
    return read_po(io.BytesIO(file.read_bytes()))


def path_of(language: str) -> Path:
    """Return the file that people edit."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def load(language: str) -> Catalog:
    """Return the translations as they stand in that file."""
    return read_po(io.BytesIO(path_of(language).read_bytes()), locale=language)


def texts_of(catalog: Catalog) -> dict[str, Message]:
    """Return the messages by their English text, a plural by its singular."""
    return {as_tuple(message.id)[0]: message for message in catalog if message.id}


def as_tuple(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return all forms of a text."""
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_no_translation_is_left_over(extracted: Catalog, language: str) -> None:
    translated = texts_of(load(language))
    assert sorted(translated) == sorted(texts_of(extracted)), "run: make translations"
    empty = [text for text, message in translated.items() if not all(as_tuple(message.string))]
    assert empty == []
    assert [text for text, message in translated.items() if message.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_places_of_its_text(language: str) -> None:
    for text, message in texts_of(load(language)).items():
        places = sorted(set(PLACE.findall(" ".join(as_tuple(message.id)))))
        for form in as_tuple(message.string):
            assert sorted(set(PLACE.findall(form))) == places, text
            assert re.findall(r'[<>"{}]|[.:?…]$', form) == re.findall(r'[<>"{}]|[.:?…]$', text), text


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_changes_only_where_its_texts_do(language: str) -> None:
    catalog = load(language)
    found = [as_tuple(message.id)[0] for message in catalog if message.id]
    assert found == sorted(found)
    assert [message.id for message in catalog if message.locations] == []
    assert not catalog.obsolete
    assert str(ROOT) not in path_of(language).read_text()


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_that_of_the_source(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, load(language))
    kept = path_of(language).with_suffix(".mo")
    assert kept.is_file(), "run: make setup"
    assert kept.read_bytes() == compiled.getvalue(), "run: make setup"


# -- What is shown but was forgotten ------------------------------------------------------------------


def find_unmarked(source: str) -> Iterator[str]:
    """Yield the sentences for people in a module that extraction cannot see."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SPEAKING:
            for text in node.args[:2]:
                if isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and text.value):
                    yield ast.unparse(text)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "webapp").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_sentence_for_people_is_marked(path: Path) -> None:
    if not path.name.startswith("cli"):  # the command line speaks English
        assert list(find_unmarked(path.read_text())) == []


def find_bare_words(source: str) -> list[str]:
    """Return the words between a template's tags, and in what a browser shows of their attributes."""
    pieces = (text if kind == "data" else "\0" for _, kind, text in Environment(autoescape=True).lex(source))
    html = re.sub("\0+", "\0", "".join(pieces))
    html = re.sub(r"<(style|pre)\b.*?</\1>", "", html, flags=re.DOTALL)  # rules and commands are no words
    shown = re.findall(r'\s(?:title|placeholder|alt|aria-label|data-text-\w+|data-busy)="([^"]*)"', html)
    # A tag may hold a ">" of its own only in quotes.
    between = re.sub(r"""<!?/?[a-zA-Z\0](?:[^<>"']|"[^"]*"|'[^']*')*>""", " ", html)
    return [
        word for text in (between, *shown) for word in re.findall(r"[^\W\d_]{2,}", text) if word not in NAMES
    ]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_template_has_words_of_its_own(path: Path) -> None:
    assert find_bare_words(path.read_text()) == []


def test_the_search_for_bare_words_finds_them() -> None:
    source = '<a title="Hidden" href="/x">Plain {{ _("Fine") }}</a>{% if a > b %}<b class="{{ c }}">1</b>{% endif %}'
    assert find_bare_words(source) == ["Plain", "Hidden"]
    assert list(find_unmarked('raise Problem("No.", N_("Yes."))')) == ["'No.'"]


# -- Pages --------------------------------------------------------------------------------------------


@pytest.fixture
def portuguese(client: FlaskClient, editor: User) -> FlaskClient:
    """A browser of somebody who is signed in and has chosen Portuguese."""
    sign_in(client, editor)
    with client.session_transaction() as session:
        session["language"] = "pt_BR"
    return client


def test_the_sign_in_page_speaks_the_language_of_the_browser(client: FlaskClient) -> None:
    page = client.get("/login", headers=BRAZILIAN).text
    assert '<html lang="pt-BR"' in page
    assert "Senha" in page
    assert "Password" not in page
    assert "Digite sua senha." in post(client, "/login", headers=BRAZILIAN).text
    assert "Password" in client.get("/login", headers={"Accept-Language": "de"}).text


def test_a_chosen_language_is_kept_on_every_page(client: FlaskClient, editor: User) -> None:
    sign_in(client, editor)
    assert "Sell price" in client.get("/exports/new").text
    assert post(client, "/settings/language", data={"language": "pt_BR"}).status_code == 303
    with client.session_transaction() as session:
        session.pop("language")  # it is the user's own, in all of their browsers
    assert "Preço de venda" in client.get("/exports/new", headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_no_english_text_that_has_a_translation(portuguese: FlaskClient, path: str) -> None:
    page = soup(portuguese.get(path))
    texts = texts_of(load("pt_BR"))
    foreign = {text for text, message in texts.items() if text not in as_tuple(message.string)}
    shown = {*page.stripped_strings, *(str(tag["aria-label"]) for tag in page.select("[aria-label]"))}
    assert len(shown) > 10
    assert sorted(shown & foreign) == []


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_help_for_a_file_is_in_the_language(portuguese: FlaskClient, resource: str) -> None:
    page = portuguese.get(f"/imports/new?resource={resource}").text
    for field in get_resource(resource).writable_fields:
        assert f"{str(field.type.accepts)[1:]}" not in page
    assert "Texto de até 10.000 caracteres" in page


@pytest.mark.parametrize(
    ("currency", "language", "amount", "count"),
    [
        ("BRL", "pt_BR", "R$\xa01.234,50", "1.500"),
        ("BRL", "en", "R$1,234.50", "1,500"),
        ("USD", "pt_BR", "US$\xa01.234,50", "1.500"),
        ("USD", "en", "$1,234.50", "1,500"),
    ],
)
def test_numbers_follow_the_language_and_the_currency_the_shop(
    make_app: Callable[..., Flask], editor: User, currency: str, language: str, amount: str, count: str
) -> None:
    app = make_app(CURRENCY=currency)
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("products", product("A", sell_price=Decimal("1234.50"), quantity=1500))
    client = app.test_client()
    sign_in(client, editor)
    with client.session_transaction() as session:
        session["language"] = language
    page = client.get("/products/").text
    assert re.search(rf"[^\w$]{re.escape(amount)}\s", page)
    assert count in page


def test_dates_follow_the_language(portuguese: FlaskClient, app: Flask) -> None:
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("products", product("A", quantity=3))
    months = r"(?:jan|fev|mar|abr|mai|jun|jul|ago|set|out|nov|dez)"
    assert re.search(rf"\d+ de {months}\. de \d{{4}}, \d\d:\d\d", portuguese.get("/inflows/").text)


def test_a_problem_is_told_with_its_field_and_kind_in_the_language(
    app: Flask, portuguese: FlaskClient
) -> None:
    page = portuguese.get("/products/?quantity=abc").text
    assert "“abc” não é um número." in page
    assert "Quantidade:" in page
    problem = Problem(
        "There is no %(kind)s “%(value)s”.", "%(field)s is missing.", kind="Supplier", value="X", field="Name"
    )
    with app.test_request_context(), force_locale("pt_BR"):
        assert sentence(problem) == "Não há registro de fornecedor “X”."
        assert advice(problem) == "Falta preencher “Nome”."


def test_words_that_files_hold_are_explained(portuguese: FlaskClient) -> None:
    page = portuguese.get("/imports/new?resource=inflows").text
    assert "Uma destas opções: purchase (compra), opening (estoque inicial), adjustment (ajuste)" in page


def test_a_conflict_is_told_in_the_language(app: Flask, portuguese: FlaskClient, editor: User) -> None:
    with app.app_context():
        job = exports.request_export(editor, "brands", "csv")
        task_id = job.task_id
        drain_queue()
    page = post(portuguese, f"/jobs/{task_id}/cancellation", follow_redirects=True).text
    assert "Esta tarefa já terminou." in page


def test_a_file_for_people_is_in_the_language_of_who_asked(app: Flask, portuguese: FlaskClient) -> None:
    with app.app_context():
        save("brands", {"name": "Acme"})
    answer = post(portuguese, "/exports/", data={"resource": "brands", "format": "xml", "filter-q": "acme"})
    drain_queue()
    file = portuguese.get(f"{answer.location}/download").text
    assert 'label="Descrição"' in file
    assert "Acme" in file


def test_words_of_a_pdf_come_from_the_same_catalogue() -> None:
    assert get_translations("pt-BR").ugettext("All records") == "Todos os registros"
    assert get_translations("en").ugettext("All records") == "All records"
