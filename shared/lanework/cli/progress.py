"""Bars for what takes more than a moment: on stderr, in a terminal only, and gone when it is done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def bar(what: str, *, total: int, console: Console | None = None) -> Iterator[Callable[[int], None]]:
    """
    Show a bar for as long as a block lasts.

    Args:
        what: What is being done, in a word or two.
        total: How much there is.
        console: Where to; standard error by default.

    Yields:
        What to call with how much is done.
    """
    where = Console(stderr=True) if console is None else console
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=where, transient=True, disable=not where.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
