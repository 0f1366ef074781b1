"""What threads ask of one limit at the same time, as one update of its item (docs/decisions/0065)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lanework.aws.combined_calls import Combined
from lanework.aws.limits import at_of, expiry_of, number_of, slots_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    from lanework.aws.limits import DynamoLimits
    from lanework.engine.ports.limits import Slots


@dataclass(frozen=True, slots=True)
class Take:
    """A slot that is asked for, of `n`."""

    n: int
    holder: str
    until: datetime
    kept_for: str


@dataclass(frozen=True, slots=True)
class Start:
    """A start that is asked for: from when, and the id of its reservation."""

    at: datetime
    by: str


class LimitsTogether:
    """
    Each attribute takes what one thread asks of a limit, and answers with None where it is to be asked singly.

    Attributes:
        slots: A slot that is taken, or the holder of one that is given back, by a limit's name; the answer to this says
            nothing but how the slots stand.
        starts: The next ones under a rate, by name and interval.
    """

    def __init__(self, limits: DynamoLimits) -> None:
        self._limits = limits
        self.slots = Combined(self._take_and_give)
        self.starts = Combined(self._next_starts)

    def _take_and_give(self, name: str, parts: Sequence[Take | str]) -> Sequence[tuple[bool, Slots] | None]:
        """Take slots if there is room for all, and free others; what can't be known so is to be asked for singly."""
        takes = [part for part in parts if isinstance(part, Take)]
        given = {part for part in parts if isinstance(part, str)}
        if not takes:
            return [(True, self._limits.give_back_all(name, sorted(given)))] * len(parts)
        if len(parts) == 1:
            one = takes[0]
            return [self._limits.take_one(name, n=one.n, holder=one.holder, until=one.until, kept_for=one.kept_for)]
        holders, gone = {take.holder for take in takes}, given | {take.kept_for for take in takes}
        if len(holders) < len(takes) or not holders.isdisjoint(gone):
            return [None] * len(parts)
        are_taken, item = self._limits.write(name, _taking(takes, gone), doing="taking slots")
        slots = slots_of(item)
        if are_taken:
            return [(True, slots)] * len(parts)
        if given:
            slots = self._limits.give_back_all(name, sorted(given))
        return [(True, slots) if isinstance(part, str) else _refusal(part, slots) for part in parts]

    def _next_starts(self, rate: tuple[str, timedelta], starts: Sequence[Start]) -> list[datetime]:
        """Reserve as many, an interval apart, by one reservation of all their time; its mark is the first one's."""
        (name, interval), (now, by) = rate, (starts[0].at, starts[0].by)
        whole = interval * len(starts)
        is_now = self._limits.reserve(name, at=now, interval=whole, missed=None, by=by)
        first = now if is_now else self._limits.queue_up(name, now=now, interval=whole, by=by)
        return [first + interval * place for place in range(len(starts))]


def _refusal(take: Take, slots: Slots) -> tuple[bool, Slots] | None:
    """Refuse who finds no room, and has nothing to do with the slots that are held; None for anybody else."""
    has_own = not slots.holders.keys().isdisjoint((take.holder, take.kept_for))
    return None if has_own or len(slots.holders) < take.n else (False, slots)


def _taking(takes: Sequence[Take], gone: Collection[str]) -> dict[str, object]:
    """Return the update that takes slots in room that is free beforehand, and frees others with it."""
    sets = ", ".join(f"holders.#h{place} = :u{place}" for place in range(len(takes)))
    frees = ", ".join(f"holders.#g{place}" for place in range(len(gone)))
    return {
        "UpdateExpression": f"SET {sets}, expires_at = :expires REMOVE {frees}",
        "ConditionExpression": "attribute_exists(holders) AND size(holders) <= :room",
        "ExpressionAttributeNames": {
            **{f"#h{place}": take.holder for place, take in enumerate(takes)},
            **{f"#g{place}": holder for place, holder in enumerate(sorted(gone))},
        },
        "ExpressionAttributeValues": {
            **{f":u{place}": at_of(take.until) for place, take in enumerate(takes)},
            ":room": number_of(min(take.n for take in takes) - len(takes)),
            ":expires": expiry_of(max(take.until for take in takes)),
        },
    }
