"""The signals of the house. They are sent by services, once for each thing that happened.

``record_saved``, ``record_deleted`` and ``stock_moved`` are sent inside the transaction that saves or
deletes the row, in file order, after the database has taken it; what must not be undone (mail, cache,
sockets) waits for the commit. ``job_due`` is sent after the commit of the job's row.
"""

from blinker import Namespace

_signals = Namespace()

record_saved = _signals.signal(
    "record_saved",
    doc="sender: the resource's name; record_id, action (created, updated), before, after (column values),"
    " save (the SaveContext), line (of the file, or None), session.",
)

record_deleted = _signals.signal(
    "record_deleted",
    doc="sender: the resource's name; record_id, before (column values), save (the SaveContext), session.",
)

stock_moved = _signals.signal(
    "stock_moved",
    doc="sender: the resource's name; product_id, delta (pieces), before, after (quantities), record_id, line,"
    " session.",
)

rows_saved = _signals.signal(
    "rows_saved",
    doc="Sent once for a batch that changed something, after the signals of its rows. sender: the resource's name;"
    " save (the SaveContext), session.",
)

job_ended = _signals.signal(
    "job_ended",
    doc="Sent inside the transaction that ends a job which a worker had. sender: the task type; session.",
)

job_due = _signals.signal("job_due", doc="sender: the task type; job_id, task_id.")
