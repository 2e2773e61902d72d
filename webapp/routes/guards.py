"""Who may enter a part of the house. Services check again: a guard only answers sooner."""

from flask_login import current_user

from webapp.services.accounts import require_role


def require_admin() -> None:
    """Let administrators alone pass: before every request of a blueprint; others get 403."""
    require_role(current_user, "admin")
