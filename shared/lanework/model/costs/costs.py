"""What jobs cost on AWS: an estimate, from what was counted and a list of prices."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.lanes import Lane
from lanework.model.stats.numbers import Count, Key, Numbers, together

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_MILLION: Final = 1_000_000
_MB_MS_OF_A_GB_SECOND: Final = 1024 * 1000
_BYTES_OF_A_GB: Final = 1024**3

_SECONDS_OF_AN_HOUR: Final = 3600

PROVISIONED_USE: Final = 0.7
"""The share of provisioned units that template.yaml's scaling keeps in use."""

_IDLE_POLLS: Final = 5 * 3
"""Receives of an idle lane a minute: a mapping starts with five pollers (Lambda, "Scaling"), each waits for 20 s."""

PLATFORM_LOG_BYTES: Final = 350
"""What Lambda itself writes of an invocation: its START, END and REPORT lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """
    What AWS asked for at that date, in US dollars; of Lambda's arm64.

    Attributes:
        write_unit_usd: DynamoDB's, on demand.
        provisioned_write_unit_hour_usd: For an hour of a provisioned write unit a second.
    """

    as_of: date
    region: str
    sqs_request_usd: float
    write_unit_usd: float
    provisioned_write_unit_hour_usd: float
    invocation_usd: float
    gb_second_usd: float
    log_gb_usd: float

    @property
    def steady_write_unit_usd(self) -> float:
        """A write unit where units are provisioned, the load is steady, and 70 % of them are used."""
        return self.provisioned_write_unit_hour_usd / _SECONDS_OF_AN_HOUR / PROVISIONED_USE


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """
    What is paid for.

    Attributes:
        sqs_requests: Sends, receives, deletes, changes of visibility; each message by itself where it was sent.
        write_units: DynamoDB's, for items of up to 1 KB.
        log_bytes: Lanework's own lines and Lambda's; not what a job prints.
    """

    sqs_requests: float = 0.0
    write_units: float = 0.0
    invocations: float = 0.0
    gb_seconds: float = 0.0
    log_bytes: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Usage)})

    def usd(self, prices: Prices) -> float:
        """Return what it costs."""
        return (
            self.sqs_requests * prices.sqs_request_usd
            + self.write_units * prices.write_unit_usd
            + self.invocations * prices.invocation_usd
            + self.gb_seconds * prices.gb_second_usd
            + self.log_bytes / _BYTES_OF_A_GB * prices.log_gb_usd
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeCost:
    """
    What one job type cost.

    Attributes:
        jobs: How many started for the first time.
        usage: What they used, retries included.
        retries_usd: The part of `usd` that attempts after the first cost.
    """

    type: str
    jobs: int
    usage: Usage
    usd: float
    retries_usd: float

    @property
    def usd_per_million(self) -> float | None:
        """What a million such jobs cost; None if none started."""
        return self.usd / self.jobs * _MILLION if self.jobs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """
    What a time cost: an estimate; the dearest type first.

    Attributes:
        idle_usd: What Lambda's polling of empty lanes cost at most, where all lanes run on Lambda.
    """

    over: timedelta
    prices: Prices
    types: tuple[TypeCost, ...]
    idle_usd: float

    @property
    def usd(self) -> float:
        """All of it."""
        return self.idle_usd + sum(one.usd for one in self.types)

    @property
    def retries_usd(self) -> float:
        """The part of it that attempts after the first cost."""
        return sum(one.retries_usd for one in self.types)

    @property
    def writes_usd(self) -> float:
        """The part of it that write units cost, on demand."""
        return self._write_units * self.prices.write_unit_usd

    @property
    def provisioned_writes_usd(self) -> float:
        """What these write units cost where they are provisioned, if they came evenly."""
        return self._write_units * self.prices.steady_write_unit_usd

    @property
    def _write_units(self) -> float:
        return sum(one.usage.write_units for one in self.types)


def costs_of(
    numbers: Mapping[Key, Numbers],
    prices: Prices,
    *,
    lanes: int = 5,
    over: timedelta,
    recorded_at_start: Collection[str] = (),
) -> Costs:
    """
    Return what was paid for these numbers, which were counted within so long a time in a stack of so many lanes.

    Of the types that are `recorded_at_start`, the first start is the write that an enqueue makes of others.
    """
    usages: dict[str, list[tuple[Usage, Usage, int]]] = {}
    for lane in Lane:
        of_lane = {key: one for key, one in numbers.items() if key.lane is lane}
        whole = together(of_lane.values())
        for key, one in of_lane.items():
            if key.type:
                usage, retries = _usage(one, whole, claims_first=key.type not in recorded_at_start)
                usages.setdefault(key.type, []).append((usage, retries, one[Count.FIRST_STARTS]))
    types = [_type_cost(name, parts, prices) for name, parts in usages.items()]
    polls = lanes * _IDLE_POLLS * (over / timedelta(minutes=1))
    return Costs(
        over=over,
        prices=prices,
        types=tuple(sorted(types, key=lambda one: (-one.usd, one.type))),
        idle_usd=polls * prices.sqs_request_usd,
    )


def _type_cost(name: str, parts: list[tuple[Usage, Usage, int]], prices: Prices) -> TypeCost:
    usage = sum((one for one, _, _ in parts), Usage())
    retries = sum((one for _, one, _ in parts), Usage())
    jobs = sum(count for _, _, count in parts)
    return TypeCost(type=name, jobs=jobs, usage=usage, usd=usage.usd(prices), retries_usd=retries.usd(prices))


def _usage(one: Numbers, lane: Numbers, *, claims_first: bool) -> tuple[Usage, Usage]:
    """
    Return what a type used in a lane, and the part of it that retries did.

    Invocations, what they are billed for, and receives are the lane's: each type has its share of them, by the time
    that its runs took and by the messages that were handed out for it.
    """
    messages, in_lane = _deliveries(one), _deliveries(lane)
    share = messages / in_lane if in_lane else 0.0
    invocations = lane[Count.INVOCATIONS] * share
    run_share = one[Count.RUN_MS] / lane[Count.RUN_MS] if lane[Count.RUN_MS] else share
    batches = min(messages, invocations) if invocations else messages
    retries = one[Count.STARTED] - one[Count.FIRST_STARTS]
    ends = one[Count.COMPLETED] + one[Count.FAILED] + one[Count.CANCELLED]
    usage = Usage(
        sqs_requests=one[Count.FIRST_STARTS] + one[Count.FAILED] + one[Count.DEAD] + one[Count.PARKED] + 2 * batches,
        # A put and its index entry; a claim; an end, with an entry where it is a death or a parking; and the numbers.
        write_units=2 * one[Count.FIRST_STARTS]
        + (one[Count.STARTED] if claims_first else retries)
        + ends
        + 2 * one[Count.DEAD]
        + 3 * one[Count.PARKED]
        + invocations,
        invocations=invocations,
        gb_seconds=lane[Count.BILLED_MB_MS] * run_share / _MB_MS_OF_A_GB_SECOND,
        log_bytes=one[Count.LOG_BYTES] + invocations * PLATFORM_LOG_BYTES,
    )
    of_messages = retries / messages if messages else 0.0
    of_time = one[Count.RETRIES_MS] / one[Count.RUN_MS] if one[Count.RUN_MS] else of_messages
    again = Usage(
        sqs_requests=one[Count.FAILED] + 2 * batches * of_messages,
        write_units=2 * retries + invocations * of_messages,
        invocations=invocations * of_messages,
        gb_seconds=usage.gb_seconds * of_time,
        log_bytes=usage.log_bytes * of_messages,
    )
    return usage, again


def _deliveries(one: Numbers) -> int:
    """Return how many messages were handed out."""
    return one[Count.STARTED] + one[Count.TURNED_AWAY] + one[Count.PARKED]
