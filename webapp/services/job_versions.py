"""Old and new code at work on the same jobs, while a deployment rolls: who can read what a job carries."""

from sqlalchemy import ColumnElement, case, literal

from webapp.models import TaskNotification

# By kind of job, the version of what its params and its checkpoint look like; one that is not named is 1.
# Raise it with a change that code of before would misread: a job that new code has begun, or asked for, is
# then left to new code, and waits where there is none.
BODY_VERSIONS: dict[str, int] = {}


def get_body_version(task_type: str) -> int:
    """Return the version in which this code writes the jobs of a kind."""
    return BODY_VERSIONS.get(task_type, 1)


def own_body_version() -> ColumnElement[int]:
    """Return the same for the kind of each row."""
    if not BODY_VERSIONS:
        return literal(1)
    return case(BODY_VERSIONS, value=TaskNotification.task_type, else_=1)


def is_readable() -> ColumnElement[bool]:
    """Return the condition of the jobs that this code can go on with."""
    return TaskNotification.body_version <= own_body_version()
