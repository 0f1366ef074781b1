"""Unique work: one job for each key within a window."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import BaseModel

from lanework import App, EnqueueError, InvalidOptionError, Jobs, State
from lanework.model.events import Action
from lanework.testing import Clock, EventList, app_in_memory, drain
from tests.support.fakes import break_ports, mend_ports

MINUTE = timedelta(minutes=1)


class Report(BaseModel):
    user: str = "bat"
    pages: int = 1


reports = Jobs(queue="report", attempts=1)
made: list[tuple[str, int]] = []


@reports.job("report.make", key="user", unique_for=10 * MINUTE)
def make(report: Report) -> str:
    made.append((report.user, report.pages))
    if report.pages < 0:
        raise ValueError
    return report.user


@pytest.fixture(name="clock")
def a_clock() -> Clock:
    return Clock()


@pytest.fixture(name="events")
def an_event_list() -> EventList:
    return EventList()


@pytest.fixture(name="app")
def an_app(clock: Clock, events: EventList) -> App:
    made.clear()
    return app_in_memory(App(reports), clock, events=events)


def test_the_first_wins_and_the_second_gets_its_id(app: App, events: EventList) -> None:
    first = make.enqueue(Report(pages=1))
    second = make.enqueue(Report(pages=2))

    assert (first.duplicate, second.duplicate) == (False, True)
    assert second.job_id == first.job_id
    assert events.actions[-1] == Action.JOB_REPEATED
    drain(app)
    assert made == [("bat", 1)]
    assert second.result(timeout=timedelta(0)) == "bat"


def test_another_key_is_other_work(app: App) -> None:
    assert make.enqueue(Report(user="bat")).job_id != make.enqueue(Report(user="ada")).job_id
    drain(app)
    assert len(made) == 2


def test_the_window_lasts_also_when_the_first_has_completed(app: App, clock: Clock) -> None:
    first = make.enqueue(Report())
    drain(app)

    clock.advance(10 * MINUTE - timedelta(milliseconds=1))
    assert make.enqueue(Report()).job_id == first.job_id
    clock.advance(timedelta(milliseconds=1))
    assert make.enqueue(Report()).job_id != first.job_id


def test_a_job_that_will_not_run_gives_its_key_up(app: App) -> None:
    dead = make.enqueue(Report(pages=-1))
    drain(app)
    assert app.get(dead.job_id).state is State.DEAD

    cancelled = make.enqueue(Report(pages=2))
    assert not cancelled.duplicate
    app.cancel(cancelled.job_id)

    assert not make.enqueue(Report(pages=3)).duplicate
    assert make.enqueue(Report(pages=4)).duplicate


@pytest.mark.usefixtures("app")
def test_a_call_may_say_another_window(clock: Clock) -> None:
    make.enqueue(Report(), unique_for=MINUTE)
    clock.advance(MINUTE)

    assert not make.enqueue(Report(), unique_for=MINUTE).duplicate
    assert not make.enqueue(Report(), unique_for=None).duplicate


def test_of_many_with_one_key_the_first_is_enqueued(app: App) -> None:
    receipts = app.enqueue_many([make.request(Report(pages=n)) for n in range(1, 4)])

    assert [one.duplicate for one in receipts] == [False, True, True]
    assert len({one.job_id for one in receipts}) == 1
    drain(app)
    assert made == [("bat", 1)]


@pytest.mark.usefixtures("app")
def test_the_callers_own_id_is_a_duplicate_of_itself_though_another_has_the_key() -> None:
    make.enqueue(Report(user="ada"), job_id="mine", unique_for=None)
    make.enqueue(Report(user="ada"))

    assert make.enqueue(Report(user="ada"), job_id="mine").job_id == "mine"


def test_a_second_call_sends_what_the_first_recorded_and_never_sent(app: App) -> None:
    _, lanes = break_ports(app)
    lanes.broken = {"send"}
    ledger = app.ports.ledger
    ledger.broken = {"change"}  # type: ignore[attr-defined]
    with pytest.raises(EnqueueError, match="recorded but not sent"):
        make.enqueue(Report())
    mend_ports(app)

    assert make.enqueue(Report()).duplicate
    drain(app)
    assert made == [("bat", 1)]


def test_it_is_not_sent_past_its_key_when_the_ledger_is_out_of_reach(app: App) -> None:
    ledger, lanes = break_ports(app)
    ledger.broken = {"put_guarded"}

    with pytest.raises(EnqueueError, match="unique_for or debounce can't be sent unrecorded"):
        make.enqueue(Report())

    assert lanes.calls == []


@pytest.mark.parametrize("option", ["unique_for", "debounce"])
def test_a_window_without_a_key_is_refused_with_what_to_write(option: str) -> None:
    with pytest.raises(InvalidOptionError, match=rf"{option} .*key="):
        reports.job("report.keyless", **{option: MINUTE})  # type: ignore[arg-type]
