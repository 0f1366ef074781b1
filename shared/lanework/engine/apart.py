"""Handling many things, so that one which can't be handled stops none of the others (rule 21)."""

from __future__ import annotations

from contextlib import contextmanager
from traceback import extract_tb
from typing import TYPE_CHECKING

from lanework.errors import LaneworkError
from lanework.model.events import Action, Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.engine.ports import Ports


class Apart:
    """Keeps what goes wrong with one thing from those that come after it."""

    def __init__(self, ports: Ports) -> None:
        """Take the ports; nothing has gone wrong yet."""
        self._ports = ports
        self._first: LaneworkError | None = None

    @contextmanager
    def each(self, what: str) -> Iterator[None]:
        """
        Handle one thing: what goes wrong is told, and over.

        What was refused or didn't answer is kept for `raise_first`. Anything else lies in the thing itself, which
        nobody foresaw: it would be the same at each try, so it is told only.

        Args:
            what: The thing, for what is told.
        """
        try:
            yield
        except LaneworkError as error:
            self.keep(error)
        except Exception as error:  # noqa: BLE001 - whatever one of many holds, the others are handled
            where = extract_tb(error.__traceback__)[-1]  # and not its text, which may hold what the thing holds
            reason = f"{what} was left alone: {type(error).__name__} in {where.name}, line {where.lineno}"
            self._ports.events.emit(Event(action=Action.FAULT, at=self._ports.clock(), reason=reason))

    def keep(self, error: LaneworkError) -> None:
        """Keep an error for `raise_first`."""
        self._first = self._first or error

    def raise_first(self) -> None:
        """
        Raise the first error that was kept, and forget it.

        Raises:
            LaneworkError: Something was refused or didn't answer.
        """
        first, self._first = self._first, None
        if first is not None:
            raise first
