"""Receiving from one lane, through times in which SQS doesn't answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from lanework.edges.process.config import MOST_AT_ONCE
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
    Receives from one lane.

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

    def receive(self, *, limit: int, wait: timedelta, hide_for: timedelta) -> Sequence[Received]:
        """
        Receive as `MessageConsumer.receive` does; nothing while the queue fails, which is logged once and waited out.

        More than ten come by several calls at once, of ten each; one of them that fails, while others don't, is let be.
        """
        calls = max(1, limit // MOST_AT_ONCE)
        ask = partial(self._ask, limit=min(limit, MOST_AT_ONCE), wait=wait, hide_for=hide_for)
        if calls == 1:
            answers = [ask()]
        else:
            with ThreadPoolExecutor(calls) as threads:
                answers = [one.result() for one in [threads.submit(ask) for _ in range(calls)]]
        errors = [one for one in answers if isinstance(one, LaneworkError)]
        if len(errors) == calls:
            self._fail(errors[0])
            return ()
        if self._failures:
            self._say(Action.WORKER_RECEIVE_RECOVERED, f"after {self._failures} tries")
            self._failures = 0
        return [message for one in answers if not isinstance(one, LaneworkError) for message in one]

    def _ask(self, *, limit: int, wait: timedelta, hide_for: timedelta) -> Sequence[Received] | LaneworkError:
        try:
            return self._inbox.receive(self.lane, limit=limit, wait=wait, hide_for=hide_for)
        except LaneworkError as error:
            return error

    def _fail(self, error: LaneworkError) -> None:
        if isinstance(error, UnavailableError):
            self._is_away(error)
        else:
            self.problem = error

    def _is_away(self, error: UnavailableError) -> None:
        if self._failures == 0:
            self._say(Action.WORKER_RECEIVE_FAILED, str(error))
        self._failures += 1
        self._stopping.wait(_AWAY.wait_after(self._failures, rand=self._ports.rand).total_seconds())

    def _say(self, action: Action, reason: str) -> None:
        self._ports.events.emit(Event(action=action, at=self._ports.clock(), lane=self.lane, reason=reason))
