"""The question before something that cannot be undone."""

from flask import render_template
from flask.typing import ResponseReturnValue

from webapp.htmx import wants_fragment


def ask(
    title: str, text: str, label: str, url: str, back: str, fields: list[tuple[str, str]] | None = None
) -> ResponseReturnValue:
    """Answer with a question: a dialog for htmx, a page without it.

    Yes posts ``fields`` and ``confirmed=yes`` to ``url``; ``label`` is its button. No leads to ``back``.
    """
    is_dialog = wants_fragment()
    return render_template(
        "_question.html" if is_dialog else "question.html",
        title=title,
        text=text,
        label=label,
        url=url,
        back=back,
        fields=fields or [],
        is_dialog=is_dialog,
    )
