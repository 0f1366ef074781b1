"""The function behind the table's stream: which writes it tells of, and that it fails where the bus fails."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from lanework import State, UnavailableError
from lanework.aws.ledger.item import JobItem, to_item
from lanework.edges.stream import publisher
from lanework.model.job.ids import QUEUE_OF_OURS
from lanework.testing import NOON
from tests.support.factories import a_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework import JobRecord
    from lanework.model.job.job_event_document import JobEventDocument

QUEUED = a_record()
RUNNING = replace(QUEUED, state=State.RUNNING, claim_id="c1", attempts=1, started_at=NOON, first_started_at=NOON)
COMPLETED = replace(RUNNING, state=State.COMPLETED, due_at=None, ended_at=NOON)


class Bus:
    """A bus that may be away."""

    def __init__(self) -> None:
        self.is_away = False
        self.got: list[JobEventDocument] = []

    def put(self, notices: Sequence[JobEventDocument]) -> None:
        if self.is_away:
            reason = "the bus is away"
            raise UnavailableError(reason)
        self.got += notices


@pytest.fixture(name="bus")
def a_bus() -> Bus:
    return Bus()


def image(record: JobRecord | None) -> dict[str, Any] | None:
    return None if record is None else to_item(record, JobItem)


def event(*records: JobRecord | None, first: int = 1) -> dict[str, Any]:
    """Return the event that the stream makes of one item's forms, each written over the one before."""
    pairs = pairwise(records)
    return {"Records": [write(image(old), image(new), number) for number, (old, new) in enumerate(pairs, first)]}


def write(old: dict[str, Any] | None, new: dict[str, Any] | None, number: int = 1) -> dict[str, Any]:
    images = {name: one for name, one in (("OldImage", old), ("NewImage", new)) if one is not None}
    return {"dynamodb": {"ApproximateCreationDateTime": 1767355200, "SequenceNumber": str(number), **images}}


def tell(bus: Bus, of: dict[str, Any], *, which: str = "all") -> dict[str, int]:
    return publisher(bus.put, stack="shop", which=which)(of, None)  # type: ignore[arg-type]


def test_a_jobs_life_is_told_in_its_order_and_the_same_when_it_is_handed_over_again(bus: Bus) -> None:
    life = event(None, QUEUED, RUNNING, COMPLETED)

    assert (tell(bus, life), tell(bus, life)) == ({"put": 3}, {"put": 3})

    types = ["job.enqueued", "job.started", "job.completed"]
    assert [one.type for one in bus.got] == types * 2
    assert bus.got[:3] == bus.got[3:]
    assert len({one.id for one in bus.got}) == 3


def test_only_ends_are_told_where_only_they_are_wanted(bus: Bus) -> None:
    retired = replace(COMPLETED, retired=True)

    assert tell(bus, event(None, QUEUED, RUNNING, COMPLETED, retired), which="ends") == {"put": 1}

    assert [one.type for one in bus.got] == ["job.completed"]


def test_a_bus_that_did_not_take_them_is_an_error_so_that_they_come_again(bus: Bus) -> None:
    bus.is_away = True

    with pytest.raises(UnavailableError):
        tell(bus, event(None, QUEUED))


def test_what_is_no_job_is_passed_over(bus: Bus) -> None:
    payload = {"pk": {"S": "job#1"}, "sk": {"S": "payload"}, "payload": {"S": "{}"}}
    own = replace(QUEUED, queue=QUEUE_OF_OURS)
    removal = write(image(COMPLETED), None)

    assert tell(bus, {"Records": [write(None, payload), removal, *event(None, own)["Records"]]}) == {"put": 0}
    assert bus.got == []


def test_nothing_of_a_payload_or_an_error_is_told(bus: Bus) -> None:
    tell(bus, event(None, replace(QUEUED, payload='{"name":"bat@example.com"}', error="ValueError: bat@example.com")))

    assert "bat@example.com" not in bus.got[0].written()


@pytest.mark.parametrize("strange", [{"state": {"S": "levitating"}}, {"type": None}])
def test_a_write_that_can_not_be_read_is_logged_and_keeps_nothing_else_from_being_told(
    bus: Bus, caplog: pytest.LogCaptureFixture, strange: dict[str, Any]
) -> None:
    item = {name: value for name, value in {**(image(QUEUED) or {}), **strange}.items() if value is not None}

    assert tell(bus, {"Records": [write(None, item, 41), *event(None, QUEUED)["Records"]]}) == {"put": 1}

    (said,) = [one.__dict__ for one in caplog.records if one.message == "events.unreadable"]
    assert said["sequence"] == "41"
    assert [one.type for one in bus.got] == ["job.enqueued"]


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"dynamodb": None},
        {"dynamodb": "x"},
        {"dynamodb": {"NewImage": image(QUEUED), "ApproximateCreationDateTime": 1767355200}},
        {"dynamodb": {"NewImage": "x"}},
        {"dynamodb": {"NewImage": {"sk": {"S": "job"}, "pk": "x"}, "SequenceNumber": "41"}},
        {"dynamodb": {"NewImage": image(QUEUED), "ApproximateCreationDateTime": 1e30, "SequenceNumber": "41"}},
        {"dynamodb": {"NewImage": image(QUEUED), "ApproximateCreationDateTime": "NaN", "SequenceNumber": "41"}},
        {"dynamodb": {"NewImage": image(QUEUED), "ApproximateCreationDateTime": 1e15, "SequenceNumber": "41"}},
        None,
        "x",
    ],
    ids=lambda one: str(one)[:40],
)
def test_a_record_of_the_stream_that_is_none_keeps_nothing_else_from_being_told(
    bus: Bus, caplog: pytest.LogCaptureFixture, strange: object
) -> None:
    """One without a number raised where it was to be logged, and held up all that came after it for a day."""
    assert tell(bus, {"Records": [strange, *event(None, QUEUED)["Records"]]}) == {"put": 1}

    assert len([one for one in caplog.records if one.message == "events.unreadable"]) == 1
    assert [one.type for one in bus.got] == ["job.enqueued"]
