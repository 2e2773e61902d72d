"""Rendered parts of a page that stay the same until what they show changes, kept in the process's memory.

Formatting the dashboard's few hundred numbers costs ten times what reading them costs.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from flask import current_app, render_template
from markupsafe import Markup

from webapp.locale import choose_language

KEPT = 64


def render_once(template: str, version: Hashable, **context: Any) -> Markup:
    """Render a part, or return it as it was rendered for this version of its content and language.

    The part may show nothing that depends on the reader but their language.
    """
    kept: OrderedDict[Hashable, Markup] = current_app.extensions.setdefault(
        "stockroom_fragments", OrderedDict()
    )
    key = (template, version, choose_language())
    found = kept.get(key)
    if found is None:
        found = kept[key] = Markup(render_template(template, **context))  # noqa: S704 - a template's, escaped
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return found
