"""Calls that threads make for one item at the same time, as one call."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from lanework.errors import LaneworkError
from lanework.forks import in_each_process

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

KeyT = TypeVar("KeyT", bound="Hashable")
PartT = TypeVar("PartT")
AnswerT = TypeVar("AnswerT")

MOST: Final = 25
"""Most parts of one call: their update stays far below DynamoDB's 4 KB of an expression."""


@dataclass(slots=True)
class _Group(Generic[PartT, AnswerT]):
    """Parts that go together."""

    parts: list[PartT] = field(default_factory=list)
    answers: Sequence[AnswerT | None] | None = None
    error: LaneworkError | None = None
    is_done: Event = field(default_factory=Event)


class Combined(Generic[KeyT, PartT, AnswerT]):
    """
    Makes one call at a time for a key; what is asked for meanwhile goes with the next. Who is alone waits for nobody.

    Args:
        together: Makes the call for a key; returns an answer for each part, None where it is to be asked for singly.
    """

    def __init__(self, together: Callable[[KeyT, Sequence[PartT]], Sequence[AnswerT | None]]) -> None:
        self._together = together
        in_each_process(self, Combined._begin)

    def _begin(self) -> None:
        self._lock = Lock()
        self._open: dict[KeyT, _Group[PartT, AnswerT]] = {}
        self._turns: dict[KeyT, Lock] = {}

    def ask(self, key: KeyT, part: PartT) -> AnswerT | None:
        """
        Return the answer for one part; None if it is to be asked for singly.

        Raises:
            LaneworkError: What the call raised, for each of its parts.
        """
        with self._lock:
            group = self._open.get(key)
            is_first = group is None
            if group is None:
                group = self._open[key] = _Group()
            place = len(group.parts)
            group.parts.append(part)
            if len(group.parts) == MOST:
                del self._open[key]
            turn = self._turns.setdefault(key, Lock())
        if is_first:
            try:
                with turn:
                    self._send(key, group)
            finally:
                self._end(key, group)
        else:
            group.is_done.wait()
        if group.error is not None:
            raise group.error
        return None if group.answers is None else group.answers[place]

    def _send(self, key: KeyT, group: _Group[PartT, AnswerT]) -> None:
        with self._lock:
            if self._open.get(key) is group:
                del self._open[key]
        try:
            group.answers = self._together(key, group.parts)
        except LaneworkError as error:
            group.error = error

    def _end(self, key: KeyT, group: _Group[PartT, AnswerT]) -> None:
        """Let the others go, whatever came: those without an answer ask singly."""
        with self._lock:
            if self._open.get(key) is group:
                del self._open[key]
            if key not in self._open:
                self._turns.pop(key, None)
        group.is_done.set()
