"""What a worker process does with each message: keep it while its job runs, take it through the engine, answer SQS."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.ledger.group_commit import GroupCommitLedger
from lanework.edges.process.ack_batcher import AckBatcher
from lanework.edges.process.config import NO_WAIT, UNBOUNDED
from lanework.edges.process.heartbeat import Heartbeat
from lanework.edges.process.interrupt import disarm
from lanework.edges.process.watchdog import Repeating, unheard
from lanework.engine.messaging.delivery import Delivery, Nack
from lanework.errors import LaneworkError
from lanework.model.events import Action, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager

    from lanework.app import App
    from lanework.edges.process.lease_board import LeaseBoard
    from lanework.edges.process.watchdog import Failed
    from lanework.engine.execution.attempt import Attempt
    from lanework.engine.messaging.delivery import Report
    from lanework.engine.ports.consumer import MessageConsumer, Received
    from lanework.model.lanes import Lane

_AFTER_REFUSAL: Final = timedelta(seconds=5)

_FLUSHED_EVERY_S: Final = 5.0


def flusher(app: App, failed: Failed) -> Repeating:
    """Let what was counted be written every few seconds, and at the end: no batch's end does it here."""

    def flush() -> None:
        app.ports.events.flush()  # which may go elsewhere by then

    return Repeating("flusher", flush, failed, every_s=_FLUSHED_EVERY_S, at_end=True)


class Work:
    """The messages that a process holds."""

    def __init__(
        self,
        app: App,
        inbox: MessageConsumer,
        *,
        lease: timedelta,
        run_async: Callable[[Coroutine[Any, Any, object]], object] | None = None,
        roster: LeaseBoard | None = None,
        failed: Failed = unheard,
    ) -> None:
        """Begin to keep what will be received; `failed` hears of threads of this that have ended by themselves."""
        self._app = app
        self._lease = lease
        self._run_async = run_async
        self._outbox = AckBatcher(inbox, failed)
        self._heart = Heartbeat(self._outbox, lease=lease, roster=roster, failed=failed, on_error=self._log_refusal)
        self._flusher = flusher(app, failed)

    def hold(self, lane: Lane, message: Received) -> None:
        """Keep a message that was received, until `do` has answered it."""
        self.expect(1)
        self._heart.hold(lane, message.handle)

    def gather(self, lane: Lane, message: Received) -> None:
        """Keep a message that was received, until `do` has answered it after `expect`, or it is released."""
        self._heart.hold(lane, message.handle)

    def release(self, lane: Lane, message: Received) -> None:
        """Let a message come back at once that is held, and whose job wasn't claimed."""
        if not self._heart.let_go(message.handle):
            self.put_back(lane, message)

    def expect(self, more: int) -> None:
        """Count those who are about to write, where writes share calls."""
        ledger = self._app.ports.ledger
        if isinstance(ledger, GroupCommitLedger):
            ledger.expect(more)

    def burst(self, more: int = 1) -> AbstractContextManager[None]:
        """Let writes that many make at the same time wait for each other; -1 within it: not while this lasts."""
        ledger = self._app.ports.ledger
        return ledger.burst(more) if isinstance(ledger, GroupCommitLedger) else nullcontext()

    def put_back(self, lane: Lane, message: Received) -> None:
        """Let a message come back at once that nobody holds."""
        self._outbox.hide(lane, message.handle, NO_WAIT)

    def do(
        self,
        lane: Lane,
        message: Received,
        *,
        gets_slot: Callable[[], bool] | None = None,
        began: Callable[[], None] = lambda: None,
        wait: Callable[[Attempt], object] | None = None,
        ran: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Take a message that is held through the engine, and say what becomes of it.

        Args:
            gets_slot: Called once its job is claimed; waits until its code may begin, or tells that it may not. None if
                it may at once.
            began: Called when its code begins.
            wait: Called then, where a batch function's call is waited for, and others before it. Who lets
                it return says `expect` before, for all of them: they write at the same time.
            ran: Called when its code has ended, unless it holds slots of limits: then once that is written.
        """
        report: Report = Nack()
        try:
            report = self._execute(lane, message, gets_slot=gets_slot, began=began, wait=wait, ran=ran)
        except KeyboardInterrupt:  # in the main thread only: somebody leaves the debugger
            self._heart.give_back_all()
            raise
        except LaneworkError as error:
            report = Nack(_AFTER_REFUSAL)
            ports = self._app.ports
            ports.events.emit(Event(action=Action.RUN_ACCESS_DENIED, at=ports.clock(), lane=lane, reason=str(error)))
        finally:
            self.expect(-1)
            self._answer(lane, message, report)

    def give_back_all(self, *, ends_within: timedelta | None = None) -> None:
        """Give back what is held, without an attempt used. Arguments as in `Heartbeat.give_back_all`."""
        self._heart.give_back_all(ends_within=ends_within)

    def close(self) -> None:
        """Keep nothing any more, and say what is still to be said."""
        self._heart.close()
        self._outbox.close()
        self._flusher.close()

    def _log_refusal(self, doing: str, error: LaneworkError) -> None:
        ports = self._app.ports
        ports.events.emit(Event(action=Action.RUN_WRITE_FAILED, at=ports.clock(), reason=f"{doing}: {error}"))

    def _answer(self, lane: Lane, message: Received, report: Report) -> None:
        if not self._heart.let_go(message.handle):  # else it was given back already
            self._outbox.answer(lane, message.handle, report)

    def _execute(
        self,
        lane: Lane,
        message: Received,
        *,
        gets_slot: Callable[[], bool] | None,
        began: Callable[[], None],
        wait: Callable[[Attempt], object] | None,
        ran: Callable[[], None],
    ) -> Report:
        def drive(attempt: Attempt) -> None:
            handle = message.handle
            if not self._heart.claim(handle, attempt):
                return
            if gets_slot is not None and not self._waits_for(gets_slot):
                self._heart.unclaim(handle)
            elif self._heart.begin(handle) and attempt.begin(is_ahead=gets_slot is not None):
                if attempt.holds_slots:
                    self._heart.hold_slots(handle)
                began()
                if wait is not None:
                    self.expect(-1)
                    wait(attempt)
                attempt.run()
                disarm()
                if not attempt.holds_slots:
                    ran()
                attempt.record()

        return self._app.runtime.executor(drive, run_async=self._run_async).execute(
            Delivery(
                body=message.body,
                lane=lane,
                time_left=UNBOUNDED,
                message_id=message.message_id,
                sent_at=message.sent_at,
                receives=message.receives,
                lease=self._lease,
            )
        )

    def _waits_for(self, slot: Callable[[], bool]) -> bool:
        """Wait for a slot; meanwhile the job writes nothing, and nobody who does waits for it."""
        self.expect(-1)
        try:
            return slot()
        finally:
            self.expect(1)
