"""A stack that has some of the lanes: using another is refused with what to write, and Lanework's own jobs run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from lanework import App, Jobs, Lane, LaneLeftOutError, Snooze, State
from lanework.edges.clock import clock as clock_of
from lanework.engine.deadletters.redrive import Redriver
from lanework.engine.jobtypes.builtin import REDRIVE, RELEASE
from lanework.engine.jobtypes.job_type import resolve_policy
from lanework.engine.maintenance.long_job_progress import LongJobProgress
from lanework.errors import NotRedrivenError
from lanework.memory import MemoryLanes
from lanework.model.costs.costs import costs_of
from lanework.model.lanes import ALL_LANES, nearest_lane
from lanework.observe.openmetrics import openmetrics
from lanework.settings import Settings
from lanework.testing import NOON, Clock, a_run, drain, memory_ports
from tests.support.factories import a_record
from tests.support.gateway import a_client

if TYPE_CHECKING:
    from lanework.model.lanes import LaneName

TWO = (Lane.HIGH, Lane.MEDIUM)


class Nothing(BaseModel):
    """No data."""


def an_app(lane: LaneName | Lane = "high", *, lanes: tuple[Lane, ...] = TWO) -> App:
    family = Jobs(queue="email")

    @family.job("email.welcome", lane=lane)
    def welcome(_: Nothing) -> str:
        return "sent"

    app = App(family)
    app.use(replace(memory_ports(), stack_lanes=lanes))
    return app


def test_a_job_type_in_a_lane_that_is_left_out_is_refused_with_what_to_write() -> None:
    with pytest.raises(LaneLeftOutError) as refused:
        an_app("low")

    assert str(refused.value) == (
        "job type 'email.welcome' is in lane 'low', which this stack leaves out: add it to [tool.lanework] lanes, or "
        "move the type"
    )


def test_an_enqueue_into_a_lane_that_is_left_out_is_refused_and_records_nothing() -> None:
    app = an_app()

    with pytest.raises(LaneLeftOutError) as refused:
        app.enqueue("email.welcome", {}, lane="batch", job_id="job-1")

    assert str(refused.value) == (
        "lane 'batch' is one that this stack leaves out: add it to [tool.lanework] lanes, or choose high or medium"
    )
    assert app.ports.ledger.get("job-1") is None


def test_a_pause_of_a_lane_that_is_left_out_is_refused_by_its_name() -> None:
    """It said `paused lane:low`, of a lane that nobody can enqueue into."""
    app = an_app()

    for refuse in (app.pause, app.resume):
        with pytest.raises(LaneLeftOutError, match="lane 'low' is one that this stack leaves out"):
            refuse(lane="low")
    assert app.ports.flags.read().paused == frozenset()


def test_a_pause_of_a_lane_that_was_left_out_since_then_can_be_taken_away() -> None:
    app = an_app(lanes=ALL_LANES)
    app.pause(lane="low")
    app.use(replace(app.ports, stack_lanes=TWO))

    assert app.resume(lane="low") == 0
    assert app.ports.flags.read().paused == frozenset()


def test_jobs_in_the_lanes_that_are_there_run() -> None:
    app = an_app()
    receipt = app.enqueue("email.welcome", {})
    into_the_other = app.enqueue("email.welcome", {}, lane="normal")

    drain(app, *TWO)

    assert [app.get(one.job_id).state for one in (receipt, into_the_other)] == [State.COMPLETED] * 2


@pytest.mark.parametrize(
    ("lanes", "operators", "releases"),
    [
        (TWO, Lane.MEDIUM, Lane.HIGH),
        ((Lane.CRITICAL,), Lane.CRITICAL, Lane.CRITICAL),
        ((Lane.CRITICAL, Lane.BATCH), Lane.BATCH, Lane.BATCH),
        (ALL_LANES, Lane.LOW, Lane.HIGH),
    ],
)
def test_laneworks_own_jobs_run_in_the_nearest_lane_that_is_there(
    lanes: tuple[Lane, ...], operators: Lane, releases: Lane
) -> None:
    registry = an_app(lanes[0], lanes=lanes).registry

    assert resolve_policy(registry.get(REDRIVE).options).lane is operators
    assert resolve_policy(registry.get(RELEASE).options).lane is releases


def test_the_nearest_lane_is_less_urgent_before_it_is_more_urgent() -> None:
    assert nearest_lane(Lane.MEDIUM, (Lane.HIGH, Lane.BATCH)) is Lane.BATCH
    assert nearest_lane(Lane.LOW, (Lane.CRITICAL, Lane.HIGH)) is Lane.HIGH


def test_numbers_are_of_the_lanes_that_are_there() -> None:
    app = an_app()

    seen = app.runtime.overview()

    assert tuple(one.lane for one in seen.lanes) == tuple(app.inspector.counts()) == TWO
    assert 'lane="low",state' not in openmetrics(seen)


def test_a_lane_that_is_left_out_costs_no_polls() -> None:
    app = an_app()
    window = app.runtime.statistics.overview().day

    whole = costs_of(window.numbers, app.runtime.costs(window).prices, over=window.now - window.begins)

    assert app.runtime.costs(window).idle_usd == pytest.approx(whole.idle_usd * 2 / 5)


def test_a_look_at_a_lane_that_is_left_out_is_refused() -> None:
    with pytest.raises(LaneLeftOutError, match="choose high or medium"):
        an_app().inspector.counts_of(Lane.LOW)


def test_a_dead_job_whose_lane_was_left_out_since_is_not_redriven_into_nowhere() -> None:
    app = an_app()
    record = a_record(state=State.DEAD, lane=Lane.LOW)

    with pytest.raises(NotRedrivenError, match="lane low is left out of this stack"):
        Redriver(app.ports).redrive(record)


@pytest.mark.parametrize("named", ["medium,high", "high, normal", "3 2"])
def test_the_environment_names_the_lanes_in_any_order_and_by_any_name(named: str) -> None:
    settings = Settings.from_env({"LANEWORK_STACK": "shop", "AWS_REGION": "eu-west-1", "LANEWORK_LANES": named})

    assert settings.lanes == TWO


def test_a_lane_that_nobody_knows_is_refused_in_the_environment() -> None:
    with pytest.raises(Exception, match="LANEWORK_LANES: unknown lane 'hihg', did you mean 'high'"):
        Settings.from_env({"LANEWORK_STACK": "shop", "AWS_REGION": "eu-west-1", "LANEWORK_LANES": "hihg,low"})


def test_an_operators_job_in_a_short_lane_works_for_half_of_its_time_before_the_next_attempt_goes_on() -> None:
    ports, run = memory_ports(clock := Clock()), a_run(deadline=NOON + timedelta(seconds=25))
    progress = LongJobProgress(run, ports, word="retired")

    clock.advance(timedelta(seconds=12))
    progress.reach(1, percent=1)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Snooze):
        progress.reach(2, percent=2)


def test_a_day_of_ticks_and_every_page_ask_for_no_queue_that_is_not_there() -> None:
    clock, app = Clock(), an_app()
    queues = MemoryLanes(clock)
    queues.queues = {lane: queue for lane, queue in queues.queues.items() if lane in TWO}
    app.use(replace(memory_ports(clock), lanes=queues, stack_lanes=TWO))
    tick, api = clock_of(app), a_client(app)
    app.enqueue("email.welcome", {}, delay=timedelta(hours=2))
    context: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)

    for _ in range(24):
        tick({}, context)
        drain(app, *TWO)
        clock.advance(timedelta(hours=1))

    paths = ("", "jobs", "dead", "schedules", "limits", "workflows", "cost", "api/stats", "api/jobs/metrics", "metrics")
    assert {path: api.get(f"/{path}").status for path in paths} == dict.fromkeys(paths, 200)
    assert app.runtime.overview().overview.total
