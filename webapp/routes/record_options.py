"""Type-ahead: the records that a text may mean, for the inputs of macros/reference.html."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from webapp.resources.base import Resource
from webapp.routes.records import blueprint
from webapp.services import reference_options


@blueprint.get("/<resource:resource>/options")
def list_options(resource: Resource) -> ResponseReturnValue:
    """Offer records for what is being typed, those of the given scope first."""
    options = reference_options.list_options(
        resource, request.args.get("q", ""), scope=request.args.get("scope", "")
    )
    return render_template("records/_options.html", options=options)
