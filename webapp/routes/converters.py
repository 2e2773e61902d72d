"""The parts of addresses that are more than text."""

import re
from typing import Any

from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from webapp.resources.base import Resource
from webapp.resources.registry import IMPORTABLE, RESOURCES, get_resource


class ResourceConverter(BaseConverter):
    """``<resource:resource>``: the name of a registered resource, given to the view as the resource."""

    regex = "|".join(re.escape(name) for name in RESOURCES)

    def to_python(self, value: str) -> Resource:
        """Return the resource of this name; the pattern lets no other name through."""
        return get_resource(value)

    def to_url(self, value: Any) -> str:
        """Take the resource or its name."""
        return value.name if isinstance(value, Resource) else str(value)


class ImportableConverter(ResourceConverter):
    """``<importable:resource>``: a registered resource, or what only a file may hold."""

    regex = "|".join(re.escape(name) for name in IMPORTABLE)


def add_converters(state: BlueprintSetupState) -> None:
    """Make the converters known before a blueprint's addresses are added."""
    state.app.url_map.converters |= {"resource": ResourceConverter, "importable": ImportableConverter}
