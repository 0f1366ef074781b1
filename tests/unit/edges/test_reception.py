from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from threading import Barrier, Event, Lock

from lanework import App
from lanework.edges.process.receiver import Receiver
from lanework.engine.ports.consumer import Received
from lanework.errors import ConfigError, LaneworkError, UnavailableError
from lanework.model.events import Action
from lanework.model.lanes import Lane
from lanework.testing import EventList, app_in_memory

NO_TIME = timedelta(0)


@dataclass(slots=True)
class GroupCommit:
    """
    A queue that answers nobody before so many ask at the same time, then each with as much as was asked for.

    Attributes:
        errors: What those who ask first are answered with instead.
        limits: How much was asked for.
    """

    meet: Barrier
    errors: list[LaneworkError] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def receive(self, lane: Lane, *, limit: int, wait: timedelta, hide_for: timedelta) -> list[Received]:  # noqa: ARG002
        self.meet.wait(timeout=30)
        with self.lock:
            if self.errors:
                raise self.errors.pop(0)
            first = sum(self.limits)
            self.limits.append(limit)
        return [Received(handle=str(first + number), body="") for number in range(limit)]

    def delete(self, lane: Lane, handles: Sequence[str]) -> None:
        raise NotImplementedError

    def hide(self, lane: Lane, handles: Mapping[str, timedelta]) -> None:
        raise NotImplementedError


def reception(inbox: GroupCommit, events: EventList) -> Receiver:
    is_stopping = Event()
    is_stopping.set()  # so that nobody waits for a queue that is away
    return Receiver(Lane.LOW, inbox, app_in_memory(App(), events=events).ports, is_stopping)


def test_when_every_call_fails_it_is_said_once_whoever_calls() -> None:
    events = EventList()
    inbox = GroupCommit(Barrier(2), errors=[UnavailableError("away")] * 4)
    lane = reception(inbox, events)

    with ThreadPoolExecutor(2) as threads:
        receive = partial(lane.receive, limit=10, wait=NO_TIME, hide_for=NO_TIME)
        found = [len(one.result()) for _ in range(3) for one in [threads.submit(receive) for _ in range(2)]]

    assert found == [0, 0, 0, 0, 10, 10]
    assert [one.action for one in events.events] == [Action.WORKER_RECEIVE_FAILED, Action.WORKER_RECEIVE_RECOVERED]


def test_what_can_not_be_got_over_is_kept() -> None:
    problem = ConfigError("no such queue")
    lane = reception(GroupCommit(Barrier(1), errors=[problem]), EventList())

    assert (list(lane.receive(limit=10, wait=NO_TIME, hide_for=NO_TIME)), lane.problem) == ([], problem)
