"""A loop or a thread of the worker's own goes on whatever jobs do; one that ends all the same ends the process."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from queue import Queue
from threading import Event, Thread
from typing import Any, cast

import pytest

from lanework import App, Jobs, State
from lanework.edges.process.config import Plan
from lanework.edges.process.consumer import Consumer
from lanework.edges.process.debug_loop import run_inline
from lanework.edges.process.health import health_of
from lanework.edges.process.message_handler import flusher
from lanework.edges.process.supervisor import Parent, Watchdog
from lanework.edges.shared_loop import SharedLoop
from lanework.memory import MemoryLanes, MemoryLedger
from lanework.model.lanes import Lane
from lanework.model.lifecycle.change import Answer, Change
from lanework.testing import EventList, app_in_memory
from tests.support.inboxes import MemoryInbox, Nothing

PLAN = Plan(lanes=(Lane.LOW,), slots=4, is_once=True)


class BrokenError(BaseException):
    """No `Exception`, and nobody's to expect."""


class DeafInbox(MemoryInbox):
    """Can't be told anything."""

    def delete(self, lane: Lane, handles: object) -> None:  # noqa: ARG002
        raise BrokenError

    def hide(self, lane: Lane, handles: Mapping[str, timedelta]) -> None:  # noqa: ARG002
        raise BrokenError


class HeartlessLedger(MemoryLedger):
    """Breaks whoever lengthens a lease."""

    def change(self, job_id: str, change: Change) -> Answer:
        if change.name == "beat":
            raise BrokenError
        return super().change(job_id, change)


def an_app(**jobs: Callable[[Nothing], Any]) -> tuple[App, EventList, MemoryLanes]:
    """Return an application of these jobs, each enqueued once under its name."""
    family = Jobs(queue="tasks", lane="low", attempts=1)
    declared = {name: family.job(f"task.{name}")(code) for name, code in jobs.items()}
    events = EventList()
    app = app_in_memory(App(family), events=events)
    for name, one in declared.items():
        one.enqueue(Nothing(), job_id=name)
    return app, events, cast("MemoryLanes", app.ports.lanes)


def done(_: Nothing) -> str:
    return "done"


def exits(_: Nothing) -> Coroutine[Any, Any, None]:
    async def run() -> None:
        async def inner() -> None:
            sys.exit(4)

        await asyncio.gather(inner())

    return run()


def greets(_: Nothing) -> Coroutine[Any, Any, str]:
    async def run() -> str:
        for _number in range(20):
            await asyncio.sleep(0.002)
        return "well"

    return run()


async def stops_the_loop(_: Nothing) -> None:
    loop = asyncio.get_running_loop()
    for _number in range(5):
        loop.stop()
        loop.call_soon(sys.exit)
        await asyncio.sleep(0)


def test_neighbours_of_an_async_job_that_exits_or_stops_the_loop_run_to_their_end() -> None:
    async def leaves(payload: Nothing) -> None:
        await exits(payload)

    async def before(payload: Nothing) -> str:
        return await greets(payload)

    async def after(payload: Nothing) -> str:
        return await greets(payload)

    app, _, lanes = an_app(before=before, leaves=leaves, stops=stops_the_loop, after=after)

    assert Consumer(app, MemoryInbox(lanes), PLAN).run()

    assert [app.get(one).result for one in ("before", "after")] == ['"well"', '"well"']
    assert (app.get("leaves").state, app.get("leaves").error) == (
        State.DEAD,
        "RuntimeError: it called sys.exit(4)",
    )
    assert app.get("stops").state is State.COMPLETED


def test_a_job_that_cancels_all_tasks_cancels_no_other_jobs() -> None:
    has_begun = Event()

    async def cancels(_: Nothing) -> None:
        await asyncio.to_thread(has_begun.wait)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def waits(payload: Nothing) -> str:
        has_begun.set()
        return await greets(payload)

    app, _, lanes = an_app(cancels=cancels, waits=waits)

    assert Consumer(app, MemoryInbox(lanes), PLAN).run()

    assert (app.get("waits").result, app.get("cancels").state) == ('"well"', State.COMPLETED)


def test_what_a_forgotten_task_raises_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("no mailbox bat@example.com")  # noqa: TRY003

    async def forgets(_: Nothing) -> None:
        task = asyncio.ensure_future(fails())
        await asyncio.wait({task})
        del task

    app, _, lanes = an_app(forgets=forgets)
    with caplog.at_level(logging.DEBUG):
        assert Consumer(app, MemoryInbox(lanes), PLAN).run()

    (line,) = [one for one in caplog.records if one.message == "task.failed"]
    assert str(vars(line)["reason"]).startswith("ValueError in fails, test_vital_threads.py:")
    assert "bat@example.com" not in caplog.text


@pytest.mark.parametrize("inline", [False, True])
def test_a_process_that_can_say_nothing_to_sqs_any_more_ends_by_it(*, inline: bool) -> None:
    app, events, lanes = an_app(one=done)
    inbox, plan = DeafInbox(lanes), replace(PLAN, is_once=False)
    run = partial(run_inline, app, inbox, plan, Event()) if inline else Consumer(app, inbox, plan).run

    with pytest.raises(BrokenError):
        run()

    told = [str(one.reason) for one in events.events if one.action == "worker.fault"]
    assert inline or told[0].startswith("its thread 'outbox' ended by itself: BrokenError in ")


def test_a_process_that_can_not_keep_its_leases_any_more_gives_its_jobs_back_and_ends() -> None:
    may_end = Event()

    def stays(_: Nothing) -> None:
        assert may_end.wait(60)

    app, events, lanes = an_app(stays=stays)
    ledger = HeartlessLedger()
    app.use(replace(app.ports, ledger=ledger))
    app.enqueue("task.stays", {}, job_id="other")
    consumer = Consumer(app, MemoryInbox(lanes), replace(PLAN, lease=timedelta(milliseconds=300)))

    with pytest.raises(BrokenError):
        consumer.run()

    may_end.set()
    assert str(consumer.fault).startswith("its thread 'heart' ended by itself: BrokenError in change")
    assert "run.requeued" in events.actions


def test_a_thread_that_flushes_and_can_not_tells_it() -> None:
    class Sink(EventList):
        def flush(self) -> None:
            raise BrokenError

    told: list[str] = []
    app = app_in_memory(App(), events=Sink())

    flusher(app, lambda name, _: told.append(name)).close()

    assert told == ["flusher"]


def test_those_who_wait_in_an_event_loop_that_is_broken_are_told_and_no_more_come_in() -> None:
    told: Queue[str] = Queue()
    loop = SharedLoop(lambda name, _: told.put(name))
    outcomes: list[str] = []

    async def waits() -> None:
        await asyncio.sleep(60)

    async def breaks() -> None:
        asyncio.get_running_loop()._process_events = None  # type: ignore[attr-defined]  # noqa: SLF001 - asyncio's, to break it
        await asyncio.sleep(0)
        await asyncio.sleep(60)

    def run(coroutine: Coroutine[Any, Any, object]) -> None:
        try:
            loop.run(coroutine)
        except RuntimeError as error:
            outcomes.append(str(error))

    waiting = Thread(target=run, args=(waits(),))
    waiting.start()
    run(breaks())
    waiting.join(60)
    run(waits())

    assert told.get(timeout=60) == "async"
    assert set(outcomes) == {"the event loop that it shared with other jobs has ended"}
    assert not loop.is_running


@dataclass
class FakeParent:
    fault: str | None
    is_stopping: bool = False

    def vitals(self) -> list[Watchdog]:
        return [Watchdog(pid=1, running=1, ended=0, peak_mb=1, silent_for=timedelta(0), fault=self.fault)]


@pytest.mark.parametrize(
    ("fault", "answers"),
    [(None, (HTTPStatus.OK, "ok")), ("its thread …", (HTTPStatus.SERVICE_UNAVAILABLE, "failing"))],
)
def test_health_turns_red_while_a_process_has_a_fault_of_its_own(
    fault: str | None, answers: tuple[HTTPStatus, str]
) -> None:
    status, body = health_of(cast("Parent", FakeParent(fault)))

    assert (status, body["status"]) == answers
