"""The whole matrix: every route × nobody and every role × one's own thing and another's.

Each row of the table is a route and its statuses: for nobody, a viewer, an editor and an administrator on what
is their own, then for the three on what is another's ("-": it belongs to nobody). "login" leads to the sign-in.
Forms are sent with nothing but a yes, so 303 and 422 both mean: this person may.
"""

import re

import pytest
from flask import Flask

from tests.support.matrix import METHODS, Route, list_routes, observe
from webapp.resources.registry import RESOURCES

pytestmark = pytest.mark.slow  # some five hundred requests

TABLE = """
static GET                           200 200 200 200 | -
health.healthz GET                   200 200 200 200 | -
health.readyz GET                    503 503 503 503 | -
prometheus.show GET                  401 401 401 401 | -
auth.login GET                       200 303 303 303 | -
auth.sign_in POST                    422 422 422 422 | -
auth.logout POST                     login 303 303 303 | -
invitations.show_link GET            200 200 200 200 | 200 200 200
invitations.redeem_link POST         422 422 422 422 | 422 422 422
account.show GET                     login 200 200 200 | -
account.change_password POST         login 422 422 422 | -
account.end_sessions POST            login 303 303 303 | -
account.end_session POST             login 303 303 303 | 404 404 404
account.create_token POST            login 422 422 422 | -
account.revoke_token POST            login 303 303 303 | 404 404 303
dashboard.show GET                   login 200 200 200 | -
dashboard.show_latest_jobs GET       login 200 200 200 | -
dashboard.refresh_figures POST       login 403 303 303 | -
dashboard.download_figures GET       login 200 200 200 | -
records.list_records GET             login 200 200 200 | -
records.find_record GET              login 303 303 303 | -
records.show_record GET              login 200 200 200 | -
records.bulk POST                    login 400 400 400 | -
imports.list_imports GET             login 200 200 200 | -
imports.new_import GET               login 403 200 200 | -
imports.create_import POST           login 403 422 422 | -
imports.download_template GET        login 200 200 200 | -
imports.suggest_names GET            login 200 200 200 | -
imports.show_import GET              login 200 200 200 | 404 404 200
imports.list_errors GET              login 200 200 200 | 404 404 200
imports_steps.read_again POST        login 403 303 303 | 403 404 303
imports_steps.start_check POST       login 403 422 422 | 403 404 422
imports_steps.start_import POST      login 403 303 303 | 403 404 303
imports_steps.preview_undo GET       login 403 303 303 | 403 404 303
imports_steps.start_undo POST        login 403 303 303 | 403 404 303
imports_steps.apply_profile POST     login 403 303 303 | 403 404 303
imports_steps.save_profile POST      login 403 422 422 | 403 404 422
imports_fixes.download_failed GET    login 200 200 200 | 404 404 200
imports_fixes.edit_row GET           login 200 200 200 | 404 404 200
imports_fixes.fix_row POST           login 403 303 303 | 403 404 303
imports_fixes.fix_value POST         login 403 303 303 | 403 404 303
imports_fixes.start_fixed POST       login 403 303 303 | 403 404 303
exports.list_exports GET             login 200 200 200 | -
exports.new_export GET               login 200 200 200 | -
exports.show_estimate GET            login 200 200 200 | -
exports.create_export POST           login 422 422 422 | -
exports.saved.create_saved POST      login 422 422 422 | -
exports.saved.show_saved GET         login 200 200 200 | 404 404 200
exports.saved.update_saved POST      login 422 422 422 | 404 404 403
exports.saved.run_saved POST         login 303 303 303 | 404 404 403
exports.saved.delete_saved POST      login 303 303 303 | 404 404 403
jobs.list_jobs GET                   login 200 200 200 | -
jobs.show_job GET                    login 200 200 200 | 404 404 200
jobs.show_progress GET               login 200 200 200 | 404 404 200
jobs.retry_job POST                  login 303 303 303 | 404 404 303
jobs.cancel_job POST                 login 303 303 303 | 404 404 303
jobs.run_again POST                  login 303 303 303 | 404 404 303
jobs.import_again POST               login 403 303 303 | 403 404 303
jobs.delete_job POST                 login 303 303 303 | 404 404 303
jobs.mark_read POST                  login 200 200 200 | 404 404 200
jobs.download_file GET               login 200 200 200 | 404 404 200
notifications.list_notifications GET login 200 200 200 | -
notifications.mark_all_read POST     login 303 303 303 | -
notifications.show_bell GET          login 200 200 200 | -
notifications.show_toast GET         login 200 200 200 | 404 404 200
settings.change_language POST        400 400 400 400 | -
monitor.change_timezone POST         login 403 403 303 | -
monitor.show_numbers GET             login 403 403 200 | -
monitor.show_overview GET            login 403 403 200 | -
monitor.list_consumers GET           login 403 403 200 | -
monitor.list_schedules GET           login 403 403 200 | -
monitor.run_schedule POST            login 403 403 303 | -
monitor.switch_schedule POST         login 403 403 303 | -
monitor.list_failures GET            login 403 403 200 | -
monitor_jobs.list_jobs GET           login 403 403 200 | -
monitor_jobs.act_on_many POST        login 403 403 303 | -
monitor_jobs.show_job GET            login 403 403 200 | 403 403 200
monitor_jobs.show_raw GET            login 403 403 200 | 403 403 200
monitor_jobs.retry_job POST          login 403 403 303 | 403 403 303
monitor_jobs.start_job POST          login 403 403 303 | 403 403 303
monitor_jobs.cancel_job POST         login 403 403 303 | 403 403 303
monitor_jobs.release_job POST        login 403 403 303 | 403 403 303
monitor_jobs.run_again POST          login 403 403 303 | 403 403 303
monitor_jobs.import_again POST       login 403 403 303 | 403 403 303
monitor_jobs.delete_job POST         login 403 403 303 | 403 403 303
monitor_logs.show_logs GET           login 403 403 200 | -
monitor_logs.show_tail GET           login 403 403 200 | -
monitor_logs.show_lines GET          login 403 403 200 | -
users.list_users GET                 login 403 403 200 | -
users.new_user GET                   login 403 403 200 | -
users.create_user POST               login 403 403 422 | -
users.list_tokens GET                login 403 403 200 | -
users.revoke_token POST              login 403 403 303 | 403 403 303
users.show_user GET                  login 403 403 200 | 403 403 200
users.change_role POST               login 403 403 422 | 403 403 422
users.switch_user POST               login 403 403 200 | 403 403 200
users.create_link POST               login 403 403 200 | 403 403 200
users.end_sessions POST              login 403 403 303 | 403 403 303
users.end_session POST               login 403 403 303 | 403 403 303
records.show_history GET             login 200 200 200 | -
records.list_product_movements GET   login 404 404 404 | -
records.list_options GET             login 200 200 200 | -
records.new_record GET               login 403 200 200 | -
records.create_record POST           login 403 422 422 | -
records.duplicate_record GET         login 403 200 200 | -
records.edit_record GET              login 403 200 200 | -
records.update_record POST           login 403 422 422 | -
records.ask_delete GET               login 403 200 200 | -
records.delete_record POST           login 403 303 303 | -
notifications.show_low_stock_toast GET login 204 204 204 | -
notifications.open_low_stock GET     login 303 303 303 | -
stock.new_count GET                  login 403 200 200 | -
stock.change_lines POST              login 403 200 200 | -
stock.create_count POST              login 403 422 422 | -
stock.show_count GET                 login 200 200 200 | -
audit.list_changes GET               login 403 403 200 | -
audit.export_changes POST            login 403 403 303 | -
api_exports.create_export_job POST   401 202 202 202 | -
api_imports.create_import_job POST   401 403 422 422 | -
api_jobs.list_jobs GET               401 200 200 200 | -
api_jobs.show_job GET                401 200 200 200 | 404 404 200
api_jobs.delete_job DELETE           401 204 204 204 | 404 404 204
api_jobs.download_file GET           401 200 200 200 | 404 404 200
api_jobs.list_errors GET             401 200 200 200 | 404 404 200
api_jobs.cancel_job POST             401 409 409 409 | 404 404 409
api_jobs.retry_job POST              401 202 202 202 | 404 404 202
api_jobs.mark_read PUT               401 204 204 204 | 404 404 204
api_events.list_events GET           401 200 200 200 | -
api_metrics.show_metrics GET         401 200 200 200 | -
api_docs.show GET                    login 200 200 200 | -
api_specification.show GET           401 200 200 200 | -
"""
# The same for every kind of record: nobody's own, and what a viewer only looks at.
RECORDS = """
api_KIND.list_records GET            401 200 200 200 | -
api_KIND.show_record GET             401 200 200 200 | -
api_KIND.create_record POST          401 403 422 422 | -
api_KIND.update_record PATCH         401 403 200 200 | -
api_KIND.delete_record DELETE        401 403 204 204 | -
api_KIND.save_records POST           401 403 422 422 | -
"""


def read_table() -> dict[str, str]:
    """Return what is expected of each route."""
    rows = [TABLE, *(RECORDS.replace("KIND", kind) for kind in RESOURCES)]
    lines = (re.split(r" +", line, maxsplit=2) for table in rows for line in table.strip().splitlines())
    return {f"{endpoint} {method}": statuses for endpoint, method, statuses in lines}


EXPECTED = read_table()


def write_row(route: Route, statuses: str) -> str:
    """Return a row as it stands in the table."""
    return f"{route.key:36} {statuses}"


def part_of(key: str) -> str:
    """Return the blueprint of a row, or of a file of ours none."""
    return key.partition(" ")[0].rpartition(".")[0]


@pytest.mark.parametrize("part", sorted({part_of(key) for key in EXPECTED}))
def test_each_person_may_what_the_table_says(app: Flask, part: str) -> None:
    routes = [item for item in list_routes(app) if part_of(item.key) == part and item.key in EXPECTED]
    observed = {route.key: observe(app, route) for route in routes}
    wrong = [
        f"{key}: the table says {EXPECTED[key]}, the answers were {statuses}"
        for key, statuses in observed.items()
        if statuses != EXPECTED[key]
    ]
    assert wrong == [], "\n".join(wrong)


def test_every_route_has_a_row(app: Flask) -> None:
    missing = [route for route in list_routes(app) if route.key not in EXPECTED]
    rows = [write_row(route, observe(app, route)) for route in missing]
    assert rows == [], "\n".join(("check these rows, then add them to TABLE of this file:", *rows))


def test_every_row_has_a_route(app: Flask) -> None:
    assert EXPECTED.keys() - {route.key for route in list_routes(app)} == set(), (
        "delete these rows from TABLE"
    )
    assert all(key.split()[1] in METHODS for key in EXPECTED)


def test_nobody_gets_at_what_belongs_to_another_and_only_administrators_manage() -> None:
    """The rules of the house, held against the table: a row that breaks one is a decision, not an accident."""
    for key, statuses in EXPECTED.items():
        own, foreign = statuses.split(" | ")
        nobody, *_people = own.split()
        if nobody not in {"login", "401"}:
            assert key in PUBLIC, key
        if foreign != "-" and key not in PUBLIC:
            viewer, editor, _administrator = foreign.split()
            assert {viewer, editor} <= {"403", "404"}, key
        if part_of(key).startswith(("monitor", "users")):
            assert own.split()[1:3] == ["403", "403"], key


PUBLIC = {
    "static GET",
    "health.healthz GET",
    "health.readyz GET",
    "auth.login GET",
    "auth.sign_in POST",
    "invitations.show_link GET",  # whoever holds the link is who it is for
    "invitations.redeem_link POST",
    "settings.change_language POST",
}
