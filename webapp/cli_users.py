"""The commands for users and their API tokens. They do what the pages do, as the first administrator."""

import click
from flask.cli import AppGroup

from webapp.cli_support import get_address, get_operator, plainly, print_table
from webapp.models import ROLES, TOKEN_SCOPES
from webapp.services import accounts, api_tokens, user_links, user_sessions
from webapp.services import users as user_admin
from webapp.services.user_links import MadeLink

users_group = AppGroup("users", help="The people who sign in.")
tokens_group = AppGroup("tokens", help="Tokens for the API.")

LISTED = 10_000
EMAIL = click.option("--email", required=True, help="Whose.")


@users_group.command("list")
@plainly
def list_users() -> None:
    """List the users."""
    rows, _next = user_admin.list_users(get_operator(), limit=LISTED)
    cells = [
        (
            row.user.email,
            row.user.role,
            row.user.state,
            f"{row.user.last_login_at:%Y-%m-%d %H:%M}" if row.user.last_login_at else "-",
            str(row.sessions),
        )
        for row in rows
    ]
    print_table(("E-MAIL", "ROLE", "STATE", "LAST SIGN-IN (UTC)", ">BROWSERS"), cells, nothing="No users.")


@users_group.command("create")
@click.option("--email", required=True)
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--password", help="Made and printed when it is not given.")
@plainly
def create_user(email: str, role: str, password: str | None) -> None:
    """Add a user with a password."""
    user, chosen = accounts.create_user(email, role, password)
    click.echo(f"{user.role} {user.email} created." + ("" if password else f" Password: {chosen}"))


@users_group.command("invite")
@click.option("--email", required=True)
@click.option("--role", required=True, type=click.Choice(ROLES))
@plainly
def invite_user(email: str, role: str) -> None:
    """Add a user and print the link by which they choose their password."""
    _print_link(user_links.invite_user(get_operator(), email, role))


@users_group.command("reset-password")
@EMAIL
@plainly
def reset_password(email: str) -> None:
    """Print a link by which a user chooses another password, or their first one."""
    _print_link(user_links.create_link(get_operator(), accounts.get_user(email).id))


@users_group.command("role")
@EMAIL
@click.option("--role", required=True, type=click.Choice(ROLES))
@plainly
def change_role(email: str, role: str) -> None:
    """Give a user another role."""
    user = user_admin.change_role(get_operator(), accounts.get_user(email).id, role)
    click.echo(f"{user.email} is {user.role}.")


@users_group.command("disable")
@EMAIL
@plainly
def disable_user(email: str) -> None:
    """Let a user in no more, and end their sessions."""
    user = user_admin.disable_user(get_operator(), accounts.get_user(email).id)
    click.echo(f"{user.email} is disabled.")


@users_group.command("enable")
@EMAIL
@plainly
def enable_user(email: str) -> None:
    """Let a disabled user in again."""
    user = user_admin.enable_user(get_operator(), accounts.get_user(email).id)
    click.echo(f"{user.email} is enabled.")


@users_group.command("sign-out")
@EMAIL
@plainly
def sign_out(email: str) -> None:
    """Sign a user out everywhere."""
    count = user_sessions.end_all_sessions(get_operator(), accounts.get_user(email).id)
    click.echo(f"{email} is signed out. Browsers: {count}.")


@tokens_group.command("create")
@click.option("--email", required=True, help="Whose token it is.")
@click.option("--name", default="command line")
@click.option("--scope", type=click.Choice(TOKEN_SCOPES), default="write", show_default=True)
@click.option(
    "--days", type=click.IntRange(1, api_tokens.LONGEST_DAYS), help="Until it expires; never without."
)
@plainly
def create_token(email: str, name: str, scope: str, days: int | None) -> None:
    """Make an API token and print it, once."""
    _token, key = api_tokens.create_token(accounts.get_user(email), name, days=days, scope=scope)
    click.echo(key)


@tokens_group.command("list")
@plainly
def list_tokens() -> None:
    """List everybody's tokens that are not revoked."""
    tokens, _next = api_tokens.list_all_tokens(get_operator(), limit=LISTED)
    cells = [
        (
            str(token.id),
            token.name,
            token.user.email,
            token.scope,
            f"{token.expires_at:%Y-%m-%d}" if token.expires_at else "never",
            f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "-",
        )
        for token in tokens
    ]
    heads = (">ID", "NAME", "OWNER", "SCOPE", "EXPIRES", "LAST USED (UTC)")
    print_table(heads, cells, nothing="No tokens.")


@tokens_group.command("revoke")
@click.argument("token_id", type=int)
@plainly
def revoke_token(token_id: int) -> None:
    """Let a token work no more; its ID is in the list."""
    token = api_tokens.revoke_token(get_operator(), token_id)
    click.echo(f"{token.name} of {token.user.email} is revoked.")


def _print_link(made: MadeLink) -> None:
    click.echo(f"{get_address()}{user_links.PATHS[made.purpose]}/{made.token}")
    click.echo(f"For {made.user.email}, once, until {made.expires_at:%Y-%m-%d %H:%M} UTC.", err=True)
