"""Whether a claimed run may begin its code: its limits' slots and starts, taken after the claim (rule 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from pydantic_core import from_json

from lanework.engine.limits.release import ANNOUNCED_FOR, KEPT_FOR, LOOK_EVERY, SlotDispatcher, free_expired, kept_for
from lanework.engine.messaging.message_events import report_fault
from lanework.errors import InvalidPayloadError, UnavailableError
from lanework.model.limits import SLOT_LASTS, Concurrency, Rate, fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.limits import Slots
    from lanework.model.lifecycle.states import JobRecord
    from lanework.model.limits import Bound, Limit


_ROUNDS: Final = 4
_WAITED_FOR: Final = timedelta(milliseconds=50)
"""A start that is so near is waited for: to send its job back takes a delivery, two writes and two calls."""

_TOO_SLOW: Final = "its start was taken by others, or over before it was known"


@dataclass(slots=True, kw_only=True)
class Admission:
    """
    One run's way past its limits.

    Slots come before starts: a start is a moment, and a run that has it must not wait for anything else.

    Attributes:
        held: The concurrency limits that it holds a slot of, with how many each has.
    """

    bounds: Sequence[Bound]
    ports: Ports
    held: dict[str, int] = field(default_factory=dict)

    def ask(self, run: JobRecord, payload: str) -> NoSlot | Booked | None:
        """
        Take a slot of each concurrency limit and a start under each rate; None if the run may begin, else why not.

        It then holds nothing. `run` is the record as the claim left it, `payload` JSON text.

        Raises:
            UnavailableError: It can't be known; nothing is held for longer than the lease.
            InvalidPayloadError: A limit has a key, and the payload can't be read.
        """
        if not self.bounds:
            return None
        names = self._names(run, payload)
        for name, limit in names:
            if isinstance(limit, Concurrency) and not self._take(name, limit.n, run):
                self.give_back(run)
                return NoSlot(name, limit.n)
        rates = [(name, limit) for name, limit in names if isinstance(limit, Rate)]
        booked = self._start(rates, run)
        if booked is not None:
            self.give_back(run)
        return booked

    def give_back(self, run: JobRecord) -> None:
        """Free what the run holds; what can't be freed now is free when its lease is over."""
        for name in list(self.held):
            n = self.held.pop(name)
            try:
                SlotDispatcher(ports=self.ports).give_back(name, cast("str", run.claim_id), n=n)
            except UnavailableError:
                continue
            except Exception as error:  # noqa: BLE001 - the run has ended, and so it is recorded
                report_fault(f"a slot of {name} was not given back", error, self.ports)

    def hold_until(self, run: JobRecord, due_at: datetime) -> None:
        """Keep what the run holds for its job, which may begin again from then; what can't be kept, its lease holds."""
        for name in list(self.held):
            n = self.held.pop(name)
            try:
                self.ports.limits.take(
                    name,
                    n=n,
                    holder=kept_for(run.job_id),
                    until=due_at + KEPT_FOR,
                    kept_for=cast("str", run.claim_id),
                )
            except UnavailableError:
                continue

    def look_again(self, run: JobRecord, refused: NoSlot) -> None:
        """Wake a job after this run was parked: a slot may have come free before anybody could see it wait."""
        try:
            slots = self.ports.limits.slots(refused.limit)
            if len(slots.holders) < refused.n:
                SlotDispatcher(ports=self.ports).hand_over(refused.limit, n=refused.n, parked=run.job_id)
        except UnavailableError:
            return
        except Exception as error:  # noqa: BLE001 - the run is parked, and the sweep looks
            report_fault(f"{refused.limit} was not looked at", error, self.ports)

    def _names(self, run: JobRecord, payload: str) -> list[tuple[str, Limit]]:
        is_keyed = any(bound.limit.key is not None for bound in self.bounds)
        try:
            fields = fields_of(from_json(payload)) if is_keyed else {}
        except ValueError as error:
            raise InvalidPayloadError(run.type, [f"payload: {error}"]) from None
        return [(bound.name_for(fields, run.tenant), bound.limit) for bound in self.bounds]

    def _take(self, name: str, n: int, run: JobRecord) -> bool:
        """
        Take a slot; if none is free, let it be known that a job waits, before it does.

        It counts as held from before it is asked for: where the answer is lost, it is given back.
        """
        self.held[name] = n
        is_taken, slots = self._try(name, n, run)
        if not is_taken and free_expired(name, slots, self.ports):
            is_taken, slots = self._try(name, n, run)
        if is_taken:
            return True
        del self.held[name]
        self._announce(name, n, slots)
        return False

    def _try(self, name: str, n: int, run: JobRecord) -> tuple[bool, Slots]:
        return self.ports.limits.take(
            name,
            n=n,
            holder=cast("str", run.claim_id),
            until=cast("datetime", run.due_at),
            kept_for=kept_for(run.job_id),
        )

    def _announce(self, name: str, n: int, slots: Slots) -> None:
        now = self.ports.clock()
        is_known = slots.n == n and slots.waiting_since is not None and now - slots.waiting_since < ANNOUNCED_FOR
        if not is_known:
            self.ports.limits.announce(name, n=n, now=now, look_at=now + LOOK_EVERY)

    def _start(self, rates: Sequence[tuple[str, Rate]], run: JobRecord) -> Booked | None:
        """Return the later start that was reserved, under all rates at once, or None if the run may begin now."""
        if not rates:
            return None
        start = run.rate_slot if run.rate_attempt == run.attempts else None
        for _ in range(_ROUNDS):
            if start is None or not self._is_valid(start):
                start = self._reserve(rates, run, missed=start)
            wait = timedelta(0) if start is None else start - self.ports.clock()
            if start is not None and wait > _WAITED_FOR:
                return Booked(max(rates, key=lambda one: one[1].interval)[0], start)
            if wait > timedelta(0):
                self.ports.code_runner.pause(wait.total_seconds())
                return None
            if start is not None and self._is_valid(start):
                return None
        raise UnavailableError(_TOO_SLOW)

    def _is_valid(self, start: datetime) -> bool:
        """Tell whether a reserved start is yet to come, or over for so short that none has begun in its place."""
        return self.ports.clock() < start + SLOT_LASTS

    def _reserve(
        self, rates: Sequence[tuple[str, Rate]], run: JobRecord, *, missed: datetime | None
    ) -> datetime | None:
        """
        Reserve a start: now if every rate is free, else the first that suits them all; None if another job was faster.

        Under one rate that is behind all that are reserved. Under several it is looked for and then reserved, so that
        two jobs can't for ever take turns in waiting for one rate while their start under another goes by.
        """
        now, limits = self.ports.clock(), self.ports.limits
        by = f"{run.claim_id}@{now.isoformat(timespec='milliseconds')}"
        if len(rates) == 1:
            ((name, rate),) = rates
            return limits.next_start(name, now=now, interval=rate.interval, missed=missed, by=by)
        start = max(now, *(self._free_from(name, rate, missed, now) for name, rate in rates))
        is_reserved = all(
            limits.reserve(name, at=start, interval=rate.interval, missed=missed, by=by) for name, rate in rates
        )
        return start if is_reserved else None

    def _free_from(self, name: str, rate: Rate, missed: datetime | None, now: datetime) -> datetime:
        free_from = self.ports.limits.free_from(name)
        is_last = missed is not None and free_from == missed + rate.interval
        return now if free_from is None or is_last else free_from


@dataclass(frozen=True, slots=True)
class NoSlot:
    """The job's code was not begun: all `n` slots of this concurrency limit are held."""

    limit: str
    n: int


@dataclass(frozen=True, slots=True)
class Booked:
    """The job's code was not begun: this rate reserved a later start for it."""

    limit: str
    start: datetime
