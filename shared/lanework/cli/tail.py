"""The command that follows one job to its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import typer

from lanework.cli.connect import connected
from lanework.cli.exits import Exit
from lanework.cli.options import AsJson, JobId
from lanework.cli.output import out, print_json
from lanework.cli.times import time_of_day
from lanework.engine.queries.job_view import as_json as job_json
from lanework.model.lifecycle.states import ENDED, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.app import App
    from lanework.model.lifecycle.states import JobRecord

_LOOK_AGAIN_S: Final = 1.0


def tail(
    job_id: JobId,
    as_json: AsJson = False,
) -> None:
    """
    Follow a job until it ends: its state, its progress, and its log, attempt by attempt.

    Exit code 0 if it completed, 1 if it died, was cancelled, or there is none.

    Example: lanework tail 01M81A303BKKE8BY1KYJ1Q40FQ
    """
    app = connected()
    record: JobRecord | None = None
    for record, lines in _changes(app, job_id):
        if as_json:
            print_json({**job_json(record), "lines": list(lines)})
            continue
        for line in lines:
            out().print(f"  {line}", markup=False)
        out().print(_line(app, record), markup=False)
    if record is None or record.state is not State.COMPLETED:
        raise typer.Exit(Exit.FAILED)


def _changes(app: App, job_id: str) -> Iterator[tuple[JobRecord, tuple[str, ...]]]:
    """Yield a job's record whenever it says something new, with the lines that are new."""
    seen: tuple[object, ...] | None = None
    shown = 0
    while True:
        record = app.get(job_id)
        says = (record.state, record.life, record.attempts, record.progress, record.progress_note, record.held_by)
        if says != seen:
            lines = app.ports.ledger.log_of(job_id)
            yield record, lines[shown:]
            seen, shown = says, len(lines)
        if record.state in ENDED:
            return
        time.sleep(_LOOK_AGAIN_S)


def _line(app: App, record: JobRecord) -> str:
    attempt = f", attempt {record.attempts} of {record.max_attempts}" if record.attempts else ""
    note = "" if record.progress_note is None else f" {record.progress_note}"
    progress = "" if record.progress is None or record.state in ENDED else f", {record.progress} %{note}"
    waits = f", waits for {record.held_by}" if record.held_by and record.state not in ENDED else ""
    why = f": {record.cause}, {record.error}" if record.state is State.DEAD else ""
    failed = f": {record.error}" if record.state is State.RETRYING else ""
    return f"{time_of_day(app.ports.clock())}  {record.state}{attempt}{progress}{waits}{why}{failed}"
