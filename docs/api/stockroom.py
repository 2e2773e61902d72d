"""Export and import from Python.

    python stockroom.py export products csv products.csv
    python stockroom.py import suppliers suppliers.csv ['{"name": "Company"}']

STOCKROOM_URL and STOCKROOM_TOKEN say where and as whom.
"""

import os
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx

WAIT_SECONDS = 30


class Stockroom:
    """A connection to one Stockroom with one token."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.client = httpx.Client(base_url=url, headers=headers, timeout=WAIT_SECONDS * 2)

    def ask(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Make one request; what was wrong with it is the text of the error."""
        answer = self.client.request(method, path, **kwargs)
        if not answer.is_success:
            raise SystemExit(explain(answer.json()))
        return answer

    def wait_for(self, path: str) -> dict[str, Any]:
        """Return a job once it has ended well."""
        while True:
            job: dict[str, Any] = self.ask("GET", path, params={"wait": WAIT_SECONDS}).json()
            if job["status"] == "completed":
                return job
            if job["status"] in ("failed", "cancelled"):
                raise SystemExit(f"The job has {job['status']}. {job['error_message'] or ''}")

    def export(self, resource: str, file_format: str, target: Path, **more: Any) -> dict[str, Any]:
        """Save records as a file. ``more``: fields, filters, sort and options."""
        wanted = {"resource": resource, "format": file_format, **more}
        asked = self.ask("POST", "/api/v1/exports", json=wanted)
        job = self.wait_for(asked.headers["Location"])
        with self.client.stream("GET", job["download_url"]) as answer:
            answer.raise_for_status()
            with target.open("wb") as file:
                for block in answer.iter_bytes():
                    file.write(block)
        return job

    def import_file(self, resource: str, source: Path, **more: str) -> dict[str, Any]:
        """Send a file and return its job: what was created, updated, unchanged and failed."""
        key = str(
            uuid.uuid4()
        )  # for this one file: if the connection breaks, send it again with the same key
        with source.open("rb") as file:
            asked = self.ask(
                "POST",
                "/api/v1/imports",
                data={"resource": resource, **more},
                files={"file": (source.name, file)},
                headers={"Idempotency-Key": key},
            )
        return self.wait_for(asked.headers["Location"])

    def get_bad_rows(self, job: dict[str, Any]) -> str:
        """Return the rows that an import did not take as CSV, with the reasons in the last column."""
        answer = self.ask("GET", job["errors_url"], headers={"Accept": "text/csv"})
        return answer.content.decode("utf-8-sig")


def explain(problem: dict[str, Any]) -> str:
    """Return what a problem says: what it is, what to do, and which field is wrong."""
    reasons = [f"{error.get('field') or ''}: {error['detail']}" for error in problem.get("errors", [])]
    return "\n".join([f"{problem['title']}. {problem['detail']}", *reasons])


def main() -> None:
    """Do what the command line says."""
    stockroom = Stockroom(os.environ["STOCKROOM_URL"], os.environ["STOCKROOM_TOKEN"])
    match sys.argv[1:]:
        case ["export", resource, file_format, target]:
            job = stockroom.export(resource, file_format, Path(target))
            print(f"{job['record_count']} records are in {target}.")
        case ["import", resource, source, *mapping]:
            job = stockroom.import_file(
                resource, Path(source), **({"mapping": mapping[0]} if mapping else {})
            )
            print(", ".join(f"{job[name]} {name}" for name in ("created", "updated", "unchanged", "failed")))
            if job["failed"]:
                print(stockroom.get_bad_rows(job))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
