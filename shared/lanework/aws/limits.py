"""The limits on DynamoDB: an item of the jobs table for each, written by conditional updates only."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.ledger.item import LIMITS_SHARD, MOMENT
from lanework.aws.table import Table
from lanework.engine.ports.limits import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lanework.aws.clients import Clients
    from lanework.aws.limits_together import LimitsTogether

_KEPT_FOR: Final = timedelta(days=30)
"""How long the item of a limit that nobody uses is kept, from its last writing."""


class DynamoLimits:
    """Implements the `Limits` port on the table `<stack>-jobs`."""

    def __init__(self, clients: Clients, *, stack: str) -> None:
        self._table = Table(clients, f"{stack}-jobs")

    @cached_property
    def _together(self) -> LimitsTogether:
        from lanework.aws.limits_together import LimitsTogether  # noqa: PLC0415 - few job types have limits

        return LimitsTogether(self)

    def take(self, name: str, *, n: int, holder: str, until: datetime, kept_for: str) -> tuple[bool, Slots]:
        from lanework.aws.limits_together import Take  # noqa: PLC0415 - as above

        answer = self._together.slots.ask(name, Take(n, holder, until, kept_for))
        return answer or self.take_one(name, n=n, holder=holder, until=until, kept_for=kept_for)

    def take_one(self, name: str, *, n: int, holder: str, until: datetime, kept_for: str) -> tuple[bool, Slots]:
        """As `take`, by a call of its own."""
        update = {
            "UpdateExpression": "SET holders.#holder = :until, expires_at = :expires REMOVE holders.#kept",
            "ConditionExpression": (
                "attribute_exists(holders) AND (attribute_exists(holders.#holder) OR attribute_exists(holders.#kept) "
                "OR size(holders) < :n)"
            ),
            "ExpressionAttributeNames": {"#holder": holder, "#kept": kept_for},
            "ExpressionAttributeValues": {":until": at_of(until), ":n": number_of(n), ":expires": expiry_of(until)},
        }
        return self._hold(name, update)

    def keep_for(self, name: str, *, n: int, holder: str, until: datetime) -> tuple[bool, Slots]:
        update = {
            "UpdateExpression": "SET holders.#holder = :until, expires_at = :expires",
            "ConditionExpression": (
                "attribute_exists(holders) AND attribute_not_exists(holders.#holder) AND size(holders) < :n"
            ),
            "ExpressionAttributeNames": {"#holder": holder},
            "ExpressionAttributeValues": {":until": at_of(until), ":n": number_of(n), ":expires": expiry_of(until)},
        }
        return self._hold(name, update, is_own=lambda item: item["holders"]["M"].get(holder) == at_of(until))

    def extend(self, name: str, holder: str, *, until: datetime) -> None:
        update = {
            "UpdateExpression": "SET holders.#holder = :until",
            "ConditionExpression": "holders.#holder < :until",
            "ExpressionAttributeNames": {"#holder": holder},
            "ExpressionAttributeValues": {":until": at_of(until)},
        }
        self.write(name, update, doing="holding a slot for longer")

    def give_back(self, name: str, holder: str) -> Slots:
        answer = self._together.slots.ask(name, holder)
        return self.give_back_all(name, [holder]) if answer is None else answer[1]

    def give_back_all(self, name: str, holders: Sequence[str]) -> Slots:
        """Free the slots of several holders; those that aren't held stay so."""
        names = {f"#h{place}": holder for place, holder in enumerate(holders)}
        update = {
            "UpdateExpression": f"REMOVE {', '.join(f'holders.{one}' for one in names)}",
            "ConditionExpression": " OR ".join(f"attribute_exists(holders.{one})" for one in names),
            "ExpressionAttributeNames": names,
        }
        return slots_of(self.write(name, update, doing="giving back a slot")[1])

    def drop(self, name: str, holders: Mapping[str, datetime]) -> bool:
        names = {f"#h{index}": holder for index, holder in enumerate(holders)}
        values = {f":h{index}": at_of(until) for index, until in enumerate(holders.values())}
        paths = [f"holders.{one}" for one in names]
        update = {
            "UpdateExpression": f"REMOVE {', '.join(paths)}",
            "ConditionExpression": " AND ".join(f"{path} = {value}" for path, value in zip(paths, values, strict=True)),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        is_done, item = self.write(name, update, doing="freeing slots")
        return is_done or slots_of(item).holders.keys().isdisjoint(holders)

    def slots(self, name: str) -> Slots:
        return slots_of(self._table.get(_key(name), doing=f"reading {name}"))

    def announce(self, name: str, *, n: int, now: datetime, look_at: datetime) -> None:
        update = {
            "UpdateExpression": (
                "SET n = :n, waiting_since = :now, sweep_shard = :shard, sweep_at = :at, "
                "expires_at = :expires, holders = if_not_exists(holders, :none)"
            ),
            "ExpressionAttributeValues": {
                ":n": number_of(n),
                ":now": at_of(now),
                ":shard": {"S": LIMITS_SHARD},
                ":at": at_of(look_at),
                ":expires": expiry_of(now),
                ":none": {"M": {}},
            },
        }
        self.write(name, update, doing="waiting")

    def look_again(self, name: str, slots: Slots, *, at: datetime | None) -> None:
        if slots.waiting_since is None:
            return
        seen = {":seen": at_of(slots.waiting_since)}
        update = {
            "UpdateExpression": "REMOVE waiting_since, sweep_shard, sweep_at" if at is None else "SET sweep_at = :at",
            "ConditionExpression": "waiting_since = :seen",
            "ExpressionAttributeValues": seen if at is None else {**seen, ":at": at_of(at)},
        }
        self.write(name, update, doing="reading the jobs that wait")

    def contended(self, *, until: datetime, limit: int) -> list[str]:
        found = self._table.due(LIMITS_SHARD, until=until, limit=limit, doing="reading the limits that jobs wait for")
        return [item["pk"]["S"].removeprefix("limit#") for item in found]

    def reserve(self, name: str, *, at: datetime, interval: timedelta, missed: datetime | None, by: str) -> bool:
        is_free = "attribute_not_exists(free_from) OR free_from <= :at OR (reserved_by = :by AND free_from = :after)"
        values = {":at": at_of(at), ":after": at_of(at + interval), ":expires": expiry_of(at), ":by": {"S": by}}
        if missed is not None:
            is_free += " OR free_from = :missed"
            values[":missed"] = at_of(missed + interval)
        update = {
            "UpdateExpression": "SET free_from = :after, expires_at = :expires, reserved_by = :by",
            "ConditionExpression": is_free,
            "ExpressionAttributeValues": values,
        }
        return self.write(name, update, doing="reserving a start")[0]

    def next_start(
        self, name: str, *, now: datetime, interval: timedelta, missed: datetime | None, by: str
    ) -> datetime:
        if missed is None:
            from lanework.aws.limits_together import Start  # noqa: PLC0415 - as above

            start = self._together.starts.ask((name, interval), Start(now, by))
            if start is not None:
                return start
        is_now = self.reserve(name, at=now, interval=interval, missed=missed, by=by)
        return now if is_now else self.queue_up(name, now=now, interval=interval, by=by)

    def queue_up(self, name: str, *, now: datetime, interval: timedelta, by: str) -> datetime:
        """Reserve the first start after all that are reserved, and return it."""
        update = {
            "UpdateExpression": (
                "SET free_from = if_not_exists(free_from, :now) + :interval, expires_at = :expires, reserved_by = :by"
            ),
            "ConditionExpression": "attribute_not_exists(reserved_by) OR reserved_by <> :by",
            "ExpressionAttributeValues": {
                ":now": at_of(now),
                ":interval": number_of(interval // timedelta(milliseconds=1)),
                ":expires": expiry_of(now),
                ":by": {"S": by},
            },
        }
        _, item = self.write(name, update, doing="reserving a start")
        return MOMENT.deserialize((item or {})["free_from"]["N"]) - interval

    def free_from(self, name: str) -> datetime | None:
        found = (self._table.get(_key(name), doing=f"reading {name}") or {}).get("free_from")
        return None if found is None else MOMENT.deserialize(found["N"])

    def _hold(
        self, name: str, update: dict[str, Any], *, is_own: Callable[[dict[str, Any]], bool] | None = None
    ) -> tuple[bool, Slots]:
        is_taken, item = self.write(name, update, doing="taking a slot", is_own=is_own)
        if not is_taken and (item is None or "holders" not in item):
            # Of a limit that is used for the first time: a slot can only be written into a map that is there.
            opening = {
                "UpdateExpression": "SET holders = if_not_exists(holders, :none)",
                "ExpressionAttributeValues": {":none": {"M": {}}},
            }
            self.write(name, opening, doing="taking a slot")
            is_taken, item = self.write(name, update, doing="taking a slot", is_own=is_own)
        return is_taken, slots_of(item)

    def write(
        self,
        name: str,
        update: dict[str, Any],
        *,
        doing: str,
        is_own: Callable[[dict[str, Any]], bool] | None = None,
    ) -> tuple[bool, dict[str, Any] | None]:
        """Update a limit's item; return whether its condition held, and the item as it stands."""
        on_refusal = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if "ConditionExpression" in update else {}
        update = {**update, "ReturnValues": "ALL_NEW", **on_refusal}
        answer, found = self._table.update(_key(name), update, doing=f"{doing} under {name}", is_own=is_own)
        return (False, found) if answer is None else (True, answer["Attributes"])


def _key(name: str) -> dict[str, Any]:
    return {"pk": {"S": f"limit#{name}"}, "sk": {"S": "limit"}}


def slots_of(item: dict[str, Any] | None) -> Slots:
    """Return the slots that a limit's item tells of."""
    found = item or {}
    since = found.get("waiting_since")
    return Slots(
        n=int(found["n"]["N"]) if "n" in found else None,
        holders={
            holder: MOMENT.deserialize(until["N"]) for holder, until in found.get("holders", {}).get("M", {}).items()
        },
        waiting_since=None if since is None else MOMENT.deserialize(since["N"]),
    )


def at_of(moment: datetime) -> dict[str, str]:
    """Return a moment as the item has it."""
    return {"N": MOMENT.serialize(moment)}


def number_of(value: int) -> dict[str, str]:
    """Return a number as the item has it."""
    return {"N": str(value)}


def expiry_of(moment: datetime) -> dict[str, str]:
    """Return until when an item is kept that was written then."""
    return number_of(round((moment + _KEPT_FOR).timestamp()))
