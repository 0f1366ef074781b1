"""How the command prints: tables for people, JSON for programs, complaints on stderr."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lanework.errors import NotConfirmedError
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

STYLES = {
    State.COMPLETED: "green",
    State.DEAD: "red",
    State.RUNNING: "blue",
    State.RETRYING: "yellow",
    State.CANCELLED: "dim",
}


WIDTH_IN_A_PIPE = 200
"""Columns of a table that no terminal limits."""


def out() -> Console:
    """Return where answers go."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_IN_A_PIPE)


def say(text: str) -> None:
    """Tell what is happening, on stderr, so that a pipe gets answers only."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


def complain(text: str) -> None:
    """Print an error, on stderr, in one line where it is one."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text.assemble(("lanework: ", "bold red"), text))


def confirm(question: str, *, yes: bool) -> None:
    """
    Ask before something that can't be undone, on stderr.

    Args:
        question: Ends in a question mark.
        yes: `--yes` was given: don't ask.

    Raises:
        NotConfirmedError: The answer was no, or nobody can answer.
    """
    if yes:
        return
    try:
        if typer.confirm(question, err=True):
            return
    except typer.Abort:
        msg = "there was no answer, and nothing was changed; --yes skips the question"
        raise NotConfirmedError(msg) from None
    msg = "nothing was changed"
    raise NotConfirmedError(msg)


def print_json(value: object) -> None:
    """Print a value as JSON, readable in a terminal and on one line in a pipe."""
    indent = 2 if sys.stdout.isatty() else None
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError:  # a number that JSON has no word for is null
        finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
        text = json.dumps(finite, ensure_ascii=False, indent=indent)
    sys.stdout.write(text.encode(errors="replace").decode() + "\n")


def answer(value: object, text: str, *, as_json: bool) -> None:
    """Print an answer: the value as JSON for programs, the text for people."""
    if as_json:
        print_json(value)
    else:
        out().print(text, markup=False)


def print_job_that_does_it(what: str, job_id: str, value: Mapping[str, object], *, as_json: bool) -> None:
    """Print that a job of Lanework's own does what was asked for, and how to follow it; as JSON, a value and its id."""
    text = f"{what} by job {job_id}.\nlanework tail {job_id}    follows it\nlanework cancel {job_id}  stops it"
    answer({**value, "jobId": job_id}, text, as_json=as_json)


def say_more(cursor: object) -> None:
    """Print how the next page is asked for, if there is one."""
    if cursor is not None:
        said = f"'{cursor}'" if isinstance(cursor, str) else cursor
        out().print(f"\nMore: --cursor {said}", markup=False)


def fields_of(value: Mapping[str, object]) -> Table:
    """Return a table of the fields that say something."""
    return table_of(("field", "value"), ((name, str(one)) for name, one in value.items() if one not in (None, [])))


def table_of(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table; numbers stand right, states in their colour."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    cells = [list(row) for row in rows]
    for index, column in enumerate(columns):
        is_number = bool(cells) and all(isinstance(row[index], int | float | None) for row in cells)
        table.add_column(column, justify="right" if is_number else "left", no_wrap=True)
    for row in cells:
        table.add_row(*(_cell(value) for value in row))
    return table


def seconds(duration: timedelta | None) -> str:
    """Return a duration as seconds, with two decimals below a minute, or nothing."""
    if duration is None:
        return ""
    return f"{duration.total_seconds():.{2 if duration < timedelta(minutes=1) else 0}f} s"


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    if isinstance(value, State):
        return Text(value, style=STYLES.get(value, ""))
    return Text("" if value is None else str(value))
