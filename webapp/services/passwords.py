"""Passwords: which ones are taken, how they are kept, and proof of one. Hashing is slow on purpose."""

import secrets

from werkzeug.security import check_password_hash, generate_password_hash

from webapp.resources.base import N_
from webapp.resources.types import Problem

HASH_METHOD = "scrypt:32768:8:3"  # OWASP's floor at 32 MB a hash; Werkzeug's default lies below it
SHORTEST_PASSWORD = 12
COMMON_PASSWORDS = frozenset(
    {"password1234", "123456789012", "qwertyuiop12", "administrator", "stockroom1234"}
)
# Compared when there is no password to compare with, so that the answer takes as long. Nothing has this hash.
_NOBODY = f"{HASH_METHOD}${secrets.token_hex(8)}${secrets.token_hex(64)}"


def find_password_problem(password: str) -> Problem | None:
    """Return what is wrong with a new password, or None."""
    if len(password) >= SHORTEST_PASSWORD and password.lower() not in COMMON_PASSWORDS:
        return None
    return Problem(
        N_("The password is too short or too common."),
        N_("Use at least %(length)s characters that are not easy to guess."),
        length=SHORTEST_PASSWORD,
    )


def hash_password(password: str) -> str:
    """Return what is stored of a password. To be called outside a transaction."""
    return generate_password_hash(password, HASH_METHOD)


def is_password(stored: str | None, password: str) -> bool:
    """Whether this is the password; where none is stored the answer is no, and takes as long."""
    return check_password_hash(stored or _NOBODY, password) and bool(stored)
