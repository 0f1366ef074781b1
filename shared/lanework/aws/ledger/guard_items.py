"""The marks of enqueueing's guards on DynamoDB: an item of the jobs table each, written together with a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.aws.clients import translated
from lanework.aws.ledger.item import EXPIRY, MOMENT
from lanework.aws.table import Table, as_read
from lanework.aws.writes import write_together
from lanework.errors import ContendedError
from lanework.model.job.guard_items import GuardItem
from lanework.model.limits import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.aws.clients import Clients
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
        self, job: dict[str, Any], beside: Sequence[dict[str, Any]], markings: Sequence[GuardWrite]
    ) -> dict[str, Any] | None:
        """
        Put a job and write marks, all or nothing. Return None if that happened, or the job that has the id.

        Raises:
            ContendedError: A mark isn't as it was read, or is being written.
            UnavailableError: Whether it was written is not known.
        """
        puts = [job, *({"TableName": self._table.name, "Item": item} for item in beside), *map(self._marking, markings)]
        with translated("recording a job under its guards"):
            refused = write_together(self._clients.dynamodb, [{"Put": one} for one in puts])
        if refused and refused.get(0) is None:
            msg = "what a guard remembers was written meanwhile"
            raise ContendedError(msg)
        return refused.get(0)

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
