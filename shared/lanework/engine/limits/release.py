"""Freeing slots of concurrency limits, and waking the jobs that wait for them, longest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Final, TypeVar

from lanework.engine.messaging.message_events import Apart
from lanework.engine.messaging.resend import dispatch_recorded, readable
from lanework.errors import UnavailableError
from lanework.model.events import Action
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.code_runner import CodeRunner
    from lanework.engine.ports.limits import Slots

KEPT_FOR: Final = timedelta(seconds=30)
"""How long a woken job's slot is kept for it, so that no later job takes it meanwhile."""

LOOK_EVERY: Final = timedelta(minutes=1)
"""How often the sweep looks at a limit that jobs wait for: what a crash left undone is done then."""

ANNOUNCED_FOR: Final = timedelta(minutes=4)
"""How long a job that must wait relies on the announcement of another."""

LOOK_ON_FOR: Final = timedelta(minutes=20)
"""
How long the sweep looks on after the last announcement: longer than any invocation lasts that relies on it and may
yet park a job.
"""

_CANDIDATES: Final = 10
_LIMITS: Final = 100


def kept_for(job_id: str) -> str:
    """Return the holder of a slot that is kept for a job."""
    return f"job:{job_id}"


_PAUSES_S: Final = (0.1, 0.3, 0.9)
"""Between tries; with boto's own retries they stay within what an invocation keeps back for writing."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotDispatcher:
    """Hands free slots over to waiting jobs."""

    ports: Ports

    def give_back(self, name: str, holder: str, *, n: int) -> None:
        """Free a slot, and hand it over to the job that waits longest, if one does."""
        slots = persistently(lambda: self.ports.limits.give_back(name, holder), self.ports.code_runner)
        if slots.waiting_since is not None:
            self.hand_over(name, n=n)

    def hand_over(self, name: str, *, n: int, parked: str | None = None) -> int:
        """
        Wake as many waiting jobs as there are free slots of `n`; return how many.

        `parked` was parked under the limit just now: the index that lists who waits may lag.
        """
        woken = 0
        while True:
            candidates = self.ports.ledger.held(name, 0, limit=_CANDIDATES)
            if parked is not None and parked not in candidates:
                candidates.append(parked)
            before = woken
            for job_id in candidates:
                is_kept, slots = self._keep_for(job_id, name, n)
                if is_kept:
                    woken += self._wake(name, job_id)
                elif kept_for(job_id) not in slots.holders:
                    return woken
            if woken == before:
                return woken

    def _keep_for(self, job_id: str, name: str, n: int) -> tuple[bool, Slots]:
        """Keep a slot for a job; one that is kept until this very moment was kept by a try whose answer was lost."""
        until, holder, tries = self.ports.clock() + KEPT_FOR, kept_for(job_id), count()

        def ask() -> tuple[bool, Slots]:
            is_first = next(tries) == 0
            is_kept, slots = self.ports.limits.keep_for(name, n=n, holder=holder, until=until)
            return is_kept or (not is_first and slots.holders.get(holder) == until), slots

        return persistently(ask, self.ports.code_runner)

    def _wake(self, name: str, job_id: str) -> bool:
        """Send a job that a slot is kept for; one that doesn't wait any more gives the slot up."""
        change = operator_moves.release(name, now=self.ports.clock())
        answer = persistently(lambda: self.ports.ledger.change(job_id, change), self.ports.code_runner)
        if not isinstance(answer, Applied) or answer.record.state is State.RUNNING:
            if answer.record is not None:
                readable([answer.record], self.ports)
            self.ports.limits.give_back(name, kept_for(job_id))
            return False
        record = answer.record
        payload = self.ports.ledger.payload_of(record)
        failed = None if payload is None else dispatch_recorded(record, payload, self.ports)
        reason = name if failed is None else f"{name}; {failed}"
        self.ports.emit(Action.JOB_RELEASED, record, reason=reason)
        return True

    def tick(self, *, has_time: Callable[[], bool]) -> int:
        """Look at the limits that jobs wait for: free what crashed runs hold, and wake whom nobody woke."""
        woken, apart = 0, Apart(self.ports)
        seen: set[str] = set()
        while names := set(self.ports.limits.contended(until=self.ports.clock(), limit=_LIMITS)) - seen:
            for name in sorted(names):
                if not has_time():
                    return woken
                with apart.each(f"limit {name}"):
                    woken += self._look_at(name)
            seen |= names
        apart.raise_first()
        return woken

    def _look_at(self, name: str) -> int:
        now = self.ports.clock()
        slots = self.ports.limits.slots(name)
        if slots.waiting_since is None or slots.n is None:
            return 0
        free_expired(name, slots, self.ports)
        woken = self.hand_over(name, n=slots.n)
        is_waited_for = bool(self.ports.ledger.held(name, 0, limit=1))
        is_over = not is_waited_for and now - slots.waiting_since > LOOK_ON_FOR
        self.ports.limits.look_again(name, slots, at=None if is_over else now + LOOK_EVERY)
        return woken


def free_expired(name: str, slots: Slots, ports: Ports) -> bool:
    """Free the slots of crashed runs, and of woken jobs that didn't come; tell whether there were any."""
    expired = slots.expired(ports.clock())
    return bool(expired) and ports.limits.drop(name, expired)


def persistently(call: Callable[[], T], runner: CodeRunner) -> T:
    """Call, and call again for a while where the service doesn't answer; a call that landed meets itself (rule 17)."""
    for pause_s in _PAUSES_S:
        try:
            return call()
        except UnavailableError:
            runner.pause(pause_s)
    return call()
