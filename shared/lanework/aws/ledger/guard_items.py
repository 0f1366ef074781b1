"""The marks of enqueueing's guards on DynamoDB: an item of the jobs table each, written together with a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.aws.clients import translated
from lanework.aws.ledger.item import EXPIRY, MOMENT, job_id_of
from lanework.aws.table import Table, as_read
from lanework.aws.writes import write_together
from lanework.errors import ContendedError, InvalidOptionError
from lanework.model.job.guard_items import GuardItem
from lanework.model.limits import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.aws.clients import Clients
    from lanework.engine.ports.transaction_items import TransactionItems
    from lanework.model.job.guard_items import GuardWrite


class GuardItems:
    """Reads marks, and writes them with a job."""

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = Table(clients, table)

    def read(self, names: Sequence[str]) -> dict[str, GuardItem]:
        keys = [_key(name) for name in names]
        found = self._table.read(keys, doing="reading guards", is_consistent=True)
        return {mark.name: mark for mark in map(_mark, found)}

    def put(
        self,
        job: dict[str, Any],
        beside: Sequence[dict[str, Any]],
        markings: Sequence[GuardWrite],
        items: TransactionItems | None = None,
    ) -> dict[str, Any] | None:
        """
        Put a job and write marks and the caller's items, all or nothing.

        Returns:
            None if that happened, or the job that has the id.

        Raises:
            ContendedError: A mark isn't as it was read, or an item is being written.
            ItemConditionError: A condition of the caller's items didn't hold.
            InvalidOptionError: One of the caller's items is in the jobs table.
            UnavailableError: Whether it was written is not known.
        """
        if items is not None:
            self._refuse_ours(items)
        puts = [job, *({"TableName": self._table.name, "Item": item} for item in beside), *map(self._marking, markings)]
        callers = () if items is None else items.entries
        n = len(callers)
        writes = [*callers, *({"Put": one} for one in puts)]
        with translated("recording a job under its guards" if items is None else f"writing a job{_beside(items)}"):
            refused = write_together(self._clients.dynamodb, writes, of_callers=n)
        if refused and refused.get(n) is None:
            if items is not None and max(refused) < n:
                from lanework.aws.transaction_items import condition_error  # noqa: PLC0415 - few enqueues bring items

                raise condition_error(job_id_of(job["Item"]["pk"]["S"]), items, refused)
            msg = "what a guard remembers was written meanwhile"
            raise ContendedError(msg)
        return refused.get(n)

    def _refuse_ours(self, items: TransactionItems) -> None:
        for at, entry in enumerate(items.entries):
            for request in entry.values():
                if request["TableName"].rpartition("/")[2] == self._table.name:
                    msg = f"items[{at}]: {self._table.name} is Lanework's own table; write to one of yours"
                    raise InvalidOptionError(msg)

    def _marking(self, marking: GuardWrite) -> dict[str, Any]:
        mark = marking.mark
        item = {
            **_key(mark.name),
            "job_id": {"S": mark.job_id},
            "until": {"N": MOMENT.serialize(mark.until)},
            "expires_at": {"N": EXPIRY.serialize(mark.until)},
        }
        if mark.window is not None:
            item["window"] = {"S": mark.window.text}
        unchanged = as_read("job_id", None if marking.after is None else {"S": marking.after})
        return {"TableName": self._table.name, "Item": item, **unchanged}


def _beside(items: TransactionItems) -> str:
    """Say in which tables items are written: an error may be about one of them."""
    tables = sorted({request["TableName"] for entry in items.entries for request in entry.values()})
    return f", and items into {', '.join(tables)}"


def _key(name: str) -> dict[str, Any]:
    kind = name.partition("#")[0]
    return {"pk": {"S": name}, "sk": {"S": "quota" if kind == "limit" else kind}}


def _mark(item: Any) -> GuardItem:  # noqa: ANN401 - boto's attribute values
    return GuardItem(
        name=item["pk"]["S"],
        job_id=item["job_id"]["S"],
        until=MOMENT.deserialize(item["until"]["N"]),
        window=Window.of(item["window"]["S"]) if "window" in item else None,
    )
