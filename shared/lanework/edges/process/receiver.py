"""Receiving from one lane, through times in which SQS doesn't answer."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

from lanework.errors import LaneworkError, UnavailableError
from lanework.model.events import Action, Event
from lanework.model.retry.wait import Backoff

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.consumer import MessageConsumer, Received
    from lanework.model.lanes import Lane

_AWAY: Final = Backoff(base=timedelta(seconds=1), ceiling=timedelta(seconds=30))


class Receiver:
    """
    Receives from one lane, in one thread or several.

    Attributes:
        lane: Which.
        problem: What it can't get over, such as a missing queue; None so far.
    """

    def __init__(self, lane: Lane, inbox: MessageConsumer, ports: Ports, stopping: threading.Event) -> None:
        self.lane = lane
        self.problem: LaneworkError | None = None
        self._inbox = inbox
        self._ports = ports
        self._stopping = stopping
        self._failures = 0
        self._lock = Lock()

    def receive(self, *, limit: int, wait: timedelta, hide_for: timedelta) -> Sequence[Received]:
        """Receive as `MessageConsumer.receive` does; nothing while it fails, which is logged once and waited out."""
        try:
            messages = self._inbox.receive(self.lane, limit=limit, wait=wait, hide_for=hide_for)
        except LaneworkError as error:
            self._fail(error)
            return ()
        with self._lock:
            failures, self._failures = self._failures, 0
        if failures:
            self._say(Action.WORKER_RECEIVE_RECOVERED, f"after {failures} tries")
        return messages

    def _fail(self, error: LaneworkError) -> None:
        if isinstance(error, UnavailableError):
            self._is_away(error)
        else:
            self.problem = error

    def _is_away(self, error: UnavailableError) -> None:
        with self._lock:
            self._failures += 1
            failures = self._failures
        if failures == 1:
            self._say(Action.WORKER_RECEIVE_FAILED, str(error))
        self._stopping.wait(_AWAY.wait_after(failures, rand=self._ports.rand).total_seconds())

    def _say(self, action: Action, reason: str) -> None:
        self._ports.events.emit(Event(action=action, at=self._ports.clock(), lane=self.lane, reason=reason))
