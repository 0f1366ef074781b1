"""Debounced work: of the jobs with one key the last within a window runs, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest
from pydantic import BaseModel

from lanework import App, Cause, EnqueueError, InvalidOptionError, Jobs, State
from lanework.engine.maintenance.sweep import Sweeper
from lanework.model.events import Action
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.testing import NOON, Clock, EventList, app_in_memory, drain
from tests.support.fakes import break_ports, mend_ports

if TYPE_CHECKING:
    from lanework.memory import MemoryLedger

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class Page(BaseModel):
    page: str = "home"
    text: str = ""


search = Jobs(queue="search", attempts=3)
indexed: list[tuple[str, str]] = []


@search.job("search.index", key="page", debounce=10 * SECOND)
def index(page: Page) -> None:
    indexed.append((page.page, page.text[:10]))
    if page.text == "fails":
        raise ValueError


@pytest.fixture(name="clock")
def a_clock() -> Clock:
    return Clock()


@pytest.fixture(name="events")
def an_event_list() -> EventList:
    return EventList()


@pytest.fixture(name="app")
def an_app(clock: Clock, events: EventList) -> App:
    indexed.clear()
    return app_in_memory(App(search), clock, events=events)


def pass_time(app: App, clock: Clock, step: timedelta, times: int = 1) -> None:
    """Let time pass, with what happens in it."""
    for _ in range(times):
        clock.advance(step)
        Sweeper(app.ports).tick()
        drain(app)


def test_the_last_one_runs_once_its_window_after_it_was_enqueued(app: App, clock: Clock, events: EventList) -> None:
    first = index.enqueue(Page(text="one"))
    clock.advance(6 * SECOND)
    second = index.enqueue(Page(text="two"))
    clock.advance(6 * SECOND)
    third = index.enqueue(Page(text="three"))

    assert {first.job_id, second.job_id, third.job_id} == {first.job_id}
    assert not third.duplicate
    assert events.actions[-1] == Action.JOB_SUPERSEDED
    pass_time(app, clock, SECOND, 9)
    assert indexed == []
    pass_time(app, clock, SECOND, 3)
    assert indexed == [("home", "three")]
    pass_time(app, clock, MINUTE, 10)
    assert indexed == [("home", "three")]
    assert app.get(first.job_id).attempts == 1


def test_a_pending_job_of_which_no_message_can_be_made_is_replaced_and_stops_no_neighbour(
    app: App, clock: Clock
) -> None:
    """Enqueueing many raised for all of them, each time, while the key was its."""
    pending = index.enqueue(Page(text="one")).job_id
    ledger = cast("MemoryLedger", app.ports.ledger)
    ledger.records[pending] = replace(ledger.records[pending], max_attempts=0, sweep_at=clock())
    clock.advance(SECOND)

    second, third = index.enqueue_many([index.request(Page(text="two")), index.request(Page(page="about"))])

    assert pending not in {second.job_id, third.job_id}
    pass_time(app, clock, SECOND, 12)
    assert sorted(indexed) == [("about", ""), ("home", "two")]
    assert (app.get(pending).state, app.get(pending).cause) == (State.DEAD, Cause.UNSENDABLE)


def test_another_key_is_other_work(app: App, clock: Clock) -> None:
    index.enqueue(Page(page="home", text="one"))
    index.enqueue(Page(page="about", text="two"))

    pass_time(app, clock, SECOND, 12)
    assert sorted(indexed) == [("about", "two"), ("home", "one")]


def test_what_comes_after_it_ran_is_a_job_of_its_own(app: App, clock: Clock) -> None:
    first = index.enqueue(Page(text="one"))
    pass_time(app, clock, SECOND, 11)
    second = index.enqueue(Page(text="two"))
    pass_time(app, clock, SECOND, 11)

    assert first.job_id != second.job_id
    assert indexed == [("home", "one"), ("home", "two")]


def test_a_job_that_failed_once_keeps_its_payload_and_the_next_one_is_its_own(app: App, clock: Clock) -> None:
    first = index.enqueue(Page(text="fails"))
    pass_time(app, clock, 10 * SECOND)
    assert app.get(first.job_id).state is State.RETRYING

    second = index.enqueue(Page(text="two"))

    assert second.job_id != first.job_id
    pass_time(app, clock, 10 * SECOND, 3)
    assert [text for _, text in indexed].count("two") == 1
    assert [text for _, text in indexed].count("fails") == 3


@pytest.mark.parametrize("text", ["short", "long " * 1000])
def test_also_a_payload_that_lies_beside_the_job_is_the_last_one(app: App, clock: Clock, text: str) -> None:
    index.enqueue(Page(text="one " * 1000))
    index.enqueue(Page(text=text))

    pass_time(app, clock, SECOND, 12)
    assert indexed == [("home", text[:10])]


def test_a_window_longer_than_a_queue_can_hold_waits_in_the_ledger(app: App, clock: Clock) -> None:
    index.enqueue(Page(text="one"), debounce=HOUR)
    pass_time(app, clock, MINUTE, 50)
    index.enqueue(Page(text="two"), debounce=HOUR)

    pass_time(app, clock, MINUTE, 59)
    assert indexed == []
    pass_time(app, clock, MINUTE, 2)
    assert indexed == [("home", "two")]


@pytest.mark.parametrize(("before", "after"), [(HOUR, 10 * SECOND), (10 * SECOND, HOUR), (MINUTE, SECOND)])
def test_a_shorter_or_longer_window_takes_the_former_ones_place(
    app: App, clock: Clock, before: timedelta, after: timedelta
) -> None:
    index.enqueue(Page(text="one"), debounce=before)
    job = index.enqueue(Page(text="two"), debounce=after)

    assert app.get(job.job_id).run_at == NOON + after
    pass_time(app, clock, SECOND * 30, int(after / SECOND / 30) + 4)
    assert indexed == [("home", "two")]
    pass_time(app, clock, MINUTE, 70)
    assert len(indexed) == 1


@pytest.mark.parametrize("window", [3 * SECOND, HOUR])
def test_an_enqueue_that_took_long_does_not_shorten_the_window_of_one_that_began_after_it(
    app: App, clock: Clock, window: timedelta
) -> None:
    index.enqueue(Page(text="first"), debounce=window)
    slow = app.ports.ledger

    class Slow:
        """Lets another producer be faster, once, between the moment an enqueue begins and its first read."""

        def __getattr__(self, name: str) -> object:
            if name == "marks":
                app.use(replace(app.ports, ledger=slow))
                clock.advance(SECOND)
                index.enqueue(Page(text="began later"), debounce=window)
            return getattr(slow, name)

    app.use(replace(app.ports, ledger=Slow()))  # type: ignore[arg-type]
    job = index.enqueue(Page(text="took long"), debounce=window)

    assert app.get(job.job_id).run_at == NOON + SECOND + window
    pass_time(app, clock, window - SECOND)
    assert indexed == []
    pass_time(app, clock, SECOND, 2)
    assert indexed == [("home", "took long")]


@pytest.mark.parametrize("text", ["second", "second " * 1_000])
def test_an_enqueue_is_not_taken_for_another_of_the_same_moment_that_came_between(
    app: App, clock: Clock, text: str
) -> None:
    index.enqueue(Page(text="first"))
    store = app.ports.ledger

    class Between:
        """Lets another producer enqueue, once, between an enqueue's last read and its write."""

        def __getattr__(self, name: str) -> object:
            if name == "change":
                app.use(replace(app.ports, ledger=store))
                index.enqueue(Page(text=text.replace("second", "another")))
            return getattr(store, name)

    app.use(replace(app.ports, ledger=Between()))  # type: ignore[arg-type]
    index.enqueue(Page(text=text))

    pass_time(app, clock, 11 * SECOND)
    assert indexed == [("home", text[:10])]


def test_a_producer_that_crashed_before_it_sent_is_made_up_for_by_the_next(app: App, clock: Clock) -> None:
    _, lanes = break_ports(app)
    lanes.broken = {"send"}
    app.ports.ledger.broken = {"change"}  # type: ignore[attr-defined]
    with pytest.raises(EnqueueError, match="recorded but not sent"):
        index.enqueue(Page(text="one"))
    mend_ports(app)

    index.enqueue(Page(text="two"))

    pass_time(app, clock, MINUTE, 3)
    assert indexed == [("home", "two")]


def test_of_many_with_one_key_the_last_one_runs(app: App, clock: Clock) -> None:
    receipts = app.enqueue_many([index.request(Page(text=text)) for text in ("one", "two", "three")])

    assert len({one.job_id for one in receipts}) == 1
    pass_time(app, clock, SECOND, 12)
    assert indexed == [("home", "three")]


def test_a_dead_jobs_ticket_carries_the_last_payload(app: App, clock: Clock) -> None:
    index.enqueue(Page(text="one"), attempts=1)
    job = index.enqueue(Page(text="fails"), attempts=1)
    pass_time(app, clock, SECOND, 12)
    assert app.get(job.job_id).state is State.DEAD
    tickets = app.ports.lanes.dead(Lane.MEDIUM)  # type: ignore[attr-defined]
    assert {Envelope.decode(one).payload for one in tickets} == {'{"page":"home","text":"fails"}'}

    app.dead_letters.redrive(app.dead_letters.jobs.plan(DeadFilter()))

    pass_time(app, clock, SECOND, 3)
    assert indexed == [("home", "fails"), ("home", "fails")]


@pytest.mark.parametrize("said", [{"delay": SECOND}, {"run_at": NOON}, {"job_id": "mine"}])
def test_what_contradicts_a_window_is_refused(app: App, said: dict[str, object]) -> None:
    with pytest.raises(InvalidOptionError, match="leave out delay, run_at and job_id"):
        app.enqueue("search.index", Page(), **said)  # type: ignore[arg-type]
