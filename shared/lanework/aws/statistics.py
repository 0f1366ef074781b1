"""The numbers on DynamoDB: raw ones in items that are added to, spread over partitions; made ones in one partition."""

from __future__ import annotations

import json
import random
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lanework.aws.ledger.read_back import UNREADABLE
from lanework.aws.table import Table, as_found, as_read
from lanework.engine.ports.statistics import Board, Total
from lanework.model.stats.buckets import Bucket, Incident, numbers_as_json, numbers_from_json
from lanework.model.stats.numbers import Key, Numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lanework.aws.clients import Clients
    from lanework.model.lanes import Lane, LaneDepth

T = TypeVar("T")

_SPREAD: Final = 8
"""Partitions that a minute's raw numbers are spread over by type, so that an item holds few of them."""

_COPIES: Final = 2
"""Each of them twice: an item takes about 1,000 writes a second (DynamoDB, partition key design)."""

_MOST_NAMED: Final = 20
"""Incidents that a raw item names: every write to it pays for its whole size."""

_MOST_ADDED: Final = 120
"""Numbers that one write adds: ten types' of one lane; an update has at most 300 operators (DynamoDB quotas)."""

_RAW_KEPT: Final = timedelta(days=1)
_MINUTES_KEPT: Final = timedelta(hours=26)
_HOURS_KEPT: Final = timedelta(days=15)

_BOARD: Final = {"S": "statistics"}
_TOTAL: Final = "now#total"
_ALERTS: Final = "now#alerts"


class DynamoStatistics:
    """Implements the `StatisticsStore` port on the table `<stack>-jobs`."""

    def __init__(self, clients: Clients, *, stack: str, report: Callable[[str], object] = lambda _: None) -> None:
        """Use a stack's table; `report` gets what can't be read, once for each item in this process."""
        self._report = report
        self._reported: set[str] = set()
        self._table = Table(clients, f"{stack}-jobs")
        self._copy = random.randrange(_COPIES)  # noqa: S311 - spreads writers, guards nothing

    def add(self, additions: Bucket) -> None:
        added = [
            (f"{key.text}|{name}", count)
            for key, numbers in sorted(additions.numbers.items())
            for name, count in numbers.counts.items()
            if count
        ]
        first = min((key.type for key in additions.numbers), default="")
        key = _raw_key(additions.at, zlib.crc32(first.encode()) % _SPREAD * _COPIES + self._copy)
        incidents = [one.text for one in additions.incidents[:_MOST_NAMED]]
        self._add(key, added[:_MOST_ADDED], additions, incidents)
        for start in range(_MOST_ADDED, len(added), _MOST_ADDED):
            self._add(key, added[start : start + _MOST_ADDED], Bucket(at=additions.at), [])

    def raw(self, minutes: Sequence[datetime]) -> list[Bucket]:
        keys = [_raw_key(minute, shard) for minute in minutes for shard in range(_SPREAD * _COPIES)]
        items = self._table.read(keys, doing="reading statistics")
        return [found for item in items if (found := self._read(_raw_bucket, item)) is not None]

    def board(self, *, since: datetime) -> Board:
        minutes: list[Bucket | None] = []
        total: Total | None = None
        alerts: str | None = None
        for item in self._between(f"minute#{_text_of(since)}", "now#~"):
            match item["sk"]["S"].split("#", 1):
                case ["minute", _]:
                    minutes.append(self._read(_bucket, item))
                case ["now", "total"]:
                    total = self._read(_total, item)
                case _:
                    alerts = self._read(_alerts, item)
        return Board(minutes=tuple(one for one in minutes if one is not None), total=total, alerts=alerts)

    def hours(self, *, since: datetime) -> tuple[Bucket, ...]:
        found = self._between(f"hour#{_text_of(since)}", "hour#~")
        return tuple(one for one in (self._read(_bucket, item) for item in found) if one is not None)

    def total(self) -> Total | None:
        item = self._get(_TOTAL)
        return None if item is None else self._read(_total, item)

    def keep_minute(self, bucket: Bucket) -> None:
        self._keep(f"minute#{_text_of(bucket.at)}", bucket, _MINUTES_KEPT)

    def keep_hour(self, bucket: Bucket) -> None:
        self._keep(f"hour#{_text_of(bucket.at)}", bucket, _HOURS_KEPT)

    def keep_total(self, total: Total, *, before: datetime | None) -> bool:
        text = json.dumps(numbers_as_json(total.numbers), separators=(",", ":"))
        item = {"until": {"S": _text_of(total.until)}, "content": _compressed(text)}
        return self._replace(_TOTAL, item, _total, field="until", before=None if before is None else _text_of(before))

    def alerts(self) -> str | None:
        item = self._get(_ALERTS)
        return None if item is None else self._read(_alerts, item)

    def keep_alerts(self, text: str, *, before: str | None) -> bool:
        item = {"version": {"S": _version(text)}, "content": _compressed(text)}
        return self._replace(
            _ALERTS, item, _alerts, field="version", before=None if before is None else _version(before)
        )

    def _add(
        self, key: dict[str, Any], added: Sequence[tuple[str, int]], additions: Bucket, incidents: list[str]
    ) -> None:
        """Write once, or once more without the incidents' names where the item names enough of them."""
        if self._table.update(key, _update_of(added, additions, incidents), doing="counting")[0] is None:
            self._add(key, added, additions, [])

    def _between(self, first: str, last: str) -> Iterator[dict[str, Any]]:
        values = {":pk": _BOARD, ":first": {"S": first}, ":last": {"S": last}}
        return self._table.query("pk = :pk AND sk BETWEEN :first AND :last", values, doing="reading statistics")

    def _get(self, sk: str) -> dict[str, Any] | None:
        return self._table.get({"pk": _BOARD, "sk": {"S": sk}}, doing="reading statistics")

    def _keep(self, sk: str, bucket: Bucket, kept_for: timedelta) -> None:
        item = {
            "pk": _BOARD,
            "sk": {"S": sk},
            "content": _compressed(bucket.text),
            "expires_at": _expiry(bucket.at + kept_for),
        }
        self._table.put(item, doing="keeping statistics")

    def _read(self, how: Callable[[Mapping[str, Any]], T], item: Mapping[str, Any]) -> T | None:
        """Return what an item holds; None of one that this code can't read: it counts as empty, and breaks no other."""
        try:
            return how(item)
        except (*UNREADABLE, zlib.error) as error:
            name = item["pk"]["S"] if item["sk"]["S"] == "counts" else item["sk"]["S"]
            if name not in self._reported:
                self._reported.add(name)
                self._report(f"statistics item {name} can't be read, and counts as empty: {type(error).__name__}")
            return None

    def _replace(
        self,
        sk: str,
        item: Mapping[str, Any],
        how: Callable[[Mapping[str, Any]], object],
        *,
        field: str,
        before: str | None,
    ) -> bool:
        """Put an item if the stored one's field is still as it was, or nobody can read it; tell whether it was put."""
        whole, doing = {"pk": _BOARD, "sk": {"S": sk}, **item}, "keeping statistics"
        if self._table.put_if(whole, as_read(field, None if before is None else {"S": before}), doing=doing):
            return True
        found = self._get(sk) if before is None else None
        is_odd = found is not None and self._read(how, found) is None
        return found is not None and is_odd and self._table.put_if(whole, as_found(found, whole), doing=doing)


def _update_of(added: Sequence[tuple[str, int]], additions: Bucket, incidents: Sequence[str]) -> dict[str, Any]:
    names = {f"#n{index}": name for index, (name, _) in enumerate(added)}
    values: dict[str, Any] = {f":n{index}": {"N": str(count)} for index, (_, count) in enumerate(added)}
    adding = [f"#n{index} :n{index}" for index in range(len(added))]
    setting = ["expires_at = :expires_at"]
    values[":expires_at"] = _expiry(additions.at + _RAW_KEPT)
    if additions.depths:
        setting.append("depths = :depths")
        values[":depths"] = {"S": Bucket(at=additions.at, depths=additions.depths).text}
    condition: dict[str, Any] = {}
    if incidents:
        adding.append("incidents :incidents")
        values |= {":incidents": {"SS": list(incidents)}, ":most": {"N": str(_MOST_NAMED)}}
        condition["ConditionExpression"] = "attribute_not_exists(incidents) OR size(incidents) < :most"
    if names:
        condition["ExpressionAttributeNames"] = names
    expression = f"SET {', '.join(setting)}" + (f" ADD {', '.join(adding)}" if adding else "")
    return {"UpdateExpression": expression, "ExpressionAttributeValues": values, **condition}


def _raw_key(minute: datetime, shard: int) -> dict[str, Any]:
    return {"pk": {"S": f"counts#{_text_of(minute)}#{shard}"}, "sk": {"S": "counts"}}


def _raw_bucket(item: Mapping[str, Any]) -> Bucket:
    at = _moment_of(item["pk"]["S"].split("#")[1])
    counts: dict[Key, dict[str, int]] = {}
    for name, value in item.items():
        key, _, count = name.rpartition("|")
        if key:
            counts.setdefault(Key.at(key), {})[count] = int(value["N"])
    depths: Mapping[Lane, LaneDepth] = {}
    if "depths" in item:
        depths = Bucket.at_text(at, item["depths"]["S"]).depths
    return Bucket(
        at=at,
        numbers={key: Numbers(found) for key, found in counts.items()},
        incidents=tuple(Incident.at_text(text) for text in item.get("incidents", {}).get("SS", ())),
        depths=depths,
    )


def _bucket(item: Mapping[str, Any]) -> Bucket:
    return Bucket.at_text(_moment_of(item["sk"]["S"].partition("#")[2]), _content(item))


def _total(item: Mapping[str, Any]) -> Total:
    return Total(until=_moment_of(item["until"]["S"]), numbers=numbers_from_json(json.loads(_content(item))))


def _alerts(item: Mapping[str, Any]) -> str:
    from lanework.model.stats.alerts import Alerts  # noqa: PLC0415 - for the clock, and who shows alerts

    text = _content(item)
    Alerts.at_text(text)
    return text


def _content(item: Mapping[str, Any]) -> str:
    return zlib.decompress(item["content"]["B"]).decode()


def _compressed(text: str) -> dict[str, Any]:
    return {"B": zlib.compress(text.encode())}


def _version(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}-{len(text)}"


def _text_of(minute: datetime) -> str:
    return f"{minute.astimezone(UTC):%Y-%m-%dT%H:%M}"


def _moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _expiry(moment: datetime) -> dict[str, Any]:
    return {"N": str(int(moment.timestamp()))}
