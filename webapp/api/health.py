"""Whether this process answers, and whether it can do its part."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from webapp.extensions import limiter
from webapp.services.readiness import check_readiness

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Answer 200 as long as the process serves requests; no sign-in, no database."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@limiter.limit("120 per minute")  # each answer asks for the write lock, and anybody may ask
def readyz() -> ResponseReturnValue:
    """Answer 200 when every check is well, otherwise 503; a line for each says what is wrong."""
    checks = check_readiness()
    is_ready = all(check.is_ok for check in checks.values())
    lines = {
        name: {"ok": check.is_ok, "detail": check.detail, **check.figures} for name, check in checks.items()
    }
    return jsonify(status="ready" if is_ready else "not ready", checks=lines), 200 if is_ready else 503
