"""Events on EventBridge's bus: ten a call, and what it refuses is said."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lanework import ConfigError, State, UnavailableError
from lanework.aws.event_bus import EventBridgeBus
from lanework.model.job.job_event_document import JobEventDocument, notice_of_end
from lanework.testing import NOON
from tests.support.factories import a_record


class NoSuchBusError(Exception):
    """What EventBridge says when it is asked for a bus that it has not."""


class Events:
    """Stands for EventBridge; refuses entries whose job is named so, and takes those for a bus that it has not."""

    exceptions = SimpleNamespace(ResourceNotFoundException=NoSuchBusError)

    def __init__(self) -> None:
        self.events = self
        self.buses = {"default", "shop-bus"}
        self.looks: list[str] = []
        self.calls: list[list[dict[str, Any]]] = []

    def describe_event_bus(self, *, Name: str) -> None:  # noqa: N803 - boto's name
        self.looks.append(Name)
        if Name not in self.buses:
            raise NoSuchBusError

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto's name
        self.calls.append(Entries)
        refused = [{"ErrorCode": "ThrottlingException"} for one in Entries if "refused" in one["Detail"]]
        return {"FailedEntryCount": len(refused), "Entries": refused}


def a_notice(job_id: str) -> JobEventDocument:
    record = a_record(job_id=job_id, state=State.COMPLETED, due_at=None, ended_at=NOON)
    return notice_of_end(record, stack="shop")


def test_events_are_put_ten_a_call_and_say_what_a_rule_can_match() -> None:
    events: Any = Events()

    EventBridgeBus(events, name="shop-bus").put([a_notice(f"job-{n}") for n in range(12)])

    assert [len(entries) for entries in events.calls] == [10, 2]
    entry = events.calls[0][0]
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == ("lanework", "job.completed", "shop-bus")
    assert entry["Time"] == NOON
    assert json.loads(entry["Detail"])["jobId"] == "job-0"


def test_an_event_that_is_refused_is_no_success() -> None:
    events: Any = Events()

    with pytest.raises(UnavailableError, match=r"bus default: ThrottlingException"):
        EventBridgeBus(events, name="default").put([a_notice("job-1"), a_notice("refused")])


def test_a_bus_that_is_not_there_gets_nothing_until_it_is_made_and_is_looked_for_until_then() -> None:
    events: Any = Events()
    bus = EventBridgeBus(events, name="made-later")
    for _ in range(2):
        with pytest.raises(ConfigError, match="there is no bus made-later: make it, or set the stack's parameter"):
            bus.put([a_notice("job-1")])
    assert events.calls == []

    events.buses.add("made-later")
    bus.put([a_notice("job-1")])
    bus.put([a_notice("job-2")])

    assert (len(events.calls), len(events.looks)) == (2, 3)
