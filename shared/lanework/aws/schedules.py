"""Schedules on DynamoDB: one partition of the jobs table, and one of its sparse index for what is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.ledger.item import MOMENT, may_exist
from lanework.aws.ledger.read_back import UNREADABLE, damage_of
from lanework.aws.table import ABSENT, Table, as_found, as_read
from lanework.model.schedule.schedule import CatchUp, Overlap, Schedule, ScheduleRecord, Source
from lanework.model.schedule.timetable import LONGEST_EVERY, Timetable

if TYPE_CHECKING:
    from lanework.aws.clients import Clients

_PARTITION: Final = "schedules"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_REVISION: Final = 10**15


class DynamoSchedules:
    """
    Implements the `ScheduleStore` port on the table `<stack>-jobs`.

    A removed schedule stays as an item that says so, without content: so nobody needs the right to delete items.
    """

    def __init__(self, clients: Clients, *, stack: str) -> None:
        self._table = Table(clients, f"{stack}-jobs")

    def get(self, name: str) -> ScheduleRecord | None:
        item = self._table.get(_key(name), doing=f"reading schedule {name}") if may_exist(name) else None
        return None if item is None or "removed" in item else _record(item)

    def all(self) -> list[ScheduleRecord]:
        values = {":schedules": {"S": _PARTITION}}
        items = self._table.query("pk = :schedules", values, doing="reading the schedules", ConsistentRead=True)
        return [_record(item) for item in items if "removed" not in item]

    def due(self, *, until: datetime, limit: int) -> list[str]:
        found = self._table.due(_PARTITION, until=until, limit=limit, doing="reading which schedules are due")
        return [item["sk"]["S"] for item in found]

    def write(self, record: ScheduleRecord) -> ScheduleRecord | None:
        written = record.rewritten()
        return written if self._put(_item(written), revision=record.revision) else None

    def remove(self, record: ScheduleRecord) -> bool:
        gone = {**_key(record.schedule.name), "removed": {"BOOL": True}, "revision": {"N": str(record.revision + 1)}}
        return self._put(gone, revision=record.revision)

    def _put(self, item: dict[str, Any], *, revision: int) -> bool:
        """Put an item if the stored one is as it was read, or removed; revision 0: none, or one nobody can read."""
        doing = f"writing schedule {item['sk']['S']}"
        if revision:
            unchanged = as_read("revision", {"N": str(revision)})
            unchanged["ConditionExpression"] += " AND attribute_not_exists(removed)"
            return self._table.put_if(item, unchanged, doing=doing)
        absent = {"ConditionExpression": f"{ABSENT} OR attribute_exists(removed)"}
        if self._table.put_if(item, absent, doing=doing):
            return True
        found = self._table.get(_key(item["sk"]["S"]), doing=doing)
        is_odd = found is not None and "removed" not in found and not _revision(found)
        return found is not None and is_odd and self._table.put_if(item, as_found(found, item), doing=doing)


def _key(name: str) -> dict[str, Any]:
    return {"pk": {"S": _PARTITION}, "sk": {"S": name}}


def _item(record: ScheduleRecord) -> dict[str, Any]:
    schedule, every = record.schedule, record.schedule.timetable.every
    item = {
        **_key(schedule.name),
        "job_type": {"S": schedule.job_type},
        "tz": {"S": schedule.timetable.tz},
        "payload": {"S": schedule.payload},
        "overlap": {"S": schedule.overlap.value},
        "catch_up": {"S": schedule.catch_up.value},
        "source": {"S": record.source.value},
        "last_tick": {"N": MOMENT.serialize(record.last_tick)},
        "paused": {"BOOL": record.paused},
        "revision": {"N": str(record.revision)},
    }
    if schedule.timetable.cron is not None:
        item["cron"] = {"S": schedule.timetable.cron}
    if every is not None:
        item["every_minutes"] = {"N": str(every // timedelta(minutes=1))}
    if record.last_run is not None:
        item["last_run"] = {"S": record.last_run}
    if record.due_at is not None:
        item |= {"sweep_shard": {"S": _PARTITION}, "sweep_at": {"N": MOMENT.serialize(record.due_at)}}
    return item


def _record(item: dict[str, Any]) -> ScheduleRecord:
    """Return the record that an item holds; one that this code can't read says so, and stands among the others."""
    try:
        return _whole_record(item)
    except UNREADABLE as error:
        return _damaged(item, damage_of(error))


def _damaged(item: dict[str, Any], damage: str) -> ScheduleRecord:
    def read(name: str, kind: str, otherwise: str) -> str:
        return str(item.get(name, {}).get(kind, otherwise))

    source = read("source", "S", "")
    return ScheduleRecord(
        schedule=Schedule(
            name=item["sk"]["S"], job_type=read("job_type", "S", "unknown"), timetable=Timetable(every=LONGEST_EVERY)
        ),
        source=Source.DECLARED if source == Source.DECLARED else Source.DYNAMIC,
        last_tick=_EPOCH,
        due_at=None,
        paused=item.get("paused", {}).get("BOOL") is not False,
        revision=_revision(item),
        damage=damage,
    )


def _whole_record(item: dict[str, Any]) -> ScheduleRecord:
    timetable = Timetable(
        cron=item["cron"]["S"] if "cron" in item else None,
        every=timedelta(minutes=int(item["every_minutes"]["N"])) if "every_minutes" in item else None,
        tz=item["tz"]["S"],
    )
    return ScheduleRecord(
        schedule=Schedule(
            name=item["sk"]["S"],
            job_type=item["job_type"]["S"],
            timetable=timetable,
            payload=item["payload"]["S"],
            overlap=Overlap(item["overlap"]["S"]),
            catch_up=CatchUp(item["catch_up"]["S"]),
        ),
        source=Source(item["source"]["S"]),
        last_tick=MOMENT.deserialize(item["last_tick"]["N"]),
        due_at=MOMENT.deserialize(item["sweep_at"]["N"]) if "sweep_at" in item else None,
        last_run=item["last_run"]["S"] if "last_run" in item else None,
        paused=item["paused"]["BOOL"],
        revision=_revision(item),
    )


def _revision(item: dict[str, Any]) -> int:
    """Return an item's revision; 0 of one that can't be read, which whoever writes the item next puts right."""
    text = item.get("revision", {}).get("N", "")
    revision = int(text) if text.isdecimal() else 0
    return revision if revision <= _LAST_REVISION else 0
