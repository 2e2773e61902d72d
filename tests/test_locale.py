"""How templates are translated: by our own ``_``, which is quicker than the library's and says the same."""

import flask_babel
import pytest
from flask import Flask, render_template_string
from flask_babel import force_locale


def test_a_template_follows_the_language_of_the_moment(app: Flask) -> None:
    with app.test_request_context("/"):
        said = []
        for language in ("en", "pt_BR", "en"):
            with force_locale(language):
                said.append(render_template_string("{{ _('Products') }}/{{ gettext('Suppliers') }}"))
    assert said == ["Products/Suppliers", "Produtos/Fornecedores", "Products/Suppliers"]


def test_what_fills_a_text_in_is_escaped_and_the_text_itself_is_not(app: Flask) -> None:
    with app.test_request_context("/"):
        said = render_template_string("{{ _('<b>%(text)s</b> 5 %%', text='<i>') }}{{ _('100 %%') }}")
    assert said == "<b>&lt;i&gt;</b> 5 %100 %"


@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_it_says_what_the_library_says(app: Flask, language: str) -> None:
    with app.test_request_context("/"), force_locale(language):
        catalogue = flask_babel.get_translations()
        texts = [
            text for text in getattr(catalogue, "_catalog", {}) if isinstance(text, str) and "%" not in text
        ]
        assert language == "en" or len(texts) > 100
        for text in texts:
            assert render_template_string("{{ _(text) }}", text=text) == flask_babel.gettext(text)


def test_outside_of_any_page_a_text_stays_as_it_is(app: Flask) -> None:
    assert app.jinja_env.from_string("{{ _('Products') }}").render() == "Products"
