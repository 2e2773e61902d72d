"""The blueprint of the API: each has the parser, the limits and no forms; and the parent of all schemas."""

from typing import Any, ClassVar

import marshmallow
from flask_smorest import Blueprint

from webapp.api.limits import limit_blueprint
from webapp.api.parser import ApiParser
from webapp.extensions import csrf

API_ROOT = "/api/v1"


class ApiSchema(marshmallow.Schema):
    """What goes in or out as JSON: in the order in which it is declared; unknown names are refused."""

    class Meta:
        """Marshmallow's place for settings."""

        unknown = marshmallow.RAISE


class ApiBlueprint(Blueprint):
    """A part of the API below ``/api/v1``. No cookie counts there, so no form's token is asked for."""

    ARGUMENTS_PARSER = ApiParser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING: ClassVar[dict[str, str]] = {
        **Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING,
        "multipart": "multipart/form-data",
    }

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        options.setdefault("url_prefix", API_ROOT)
        super().__init__(f"api_{name}", import_name, **options)
        self.tag = name
        csrf.exempt(self)
        limit_blueprint(self)

    def add_url_rule(self, *args: Any, **options: Any) -> None:
        """Put an address under the name that people know the part by."""
        options["tags"] = options.get("tags") or [self.tag]
        super().add_url_rule(*args, **options)
