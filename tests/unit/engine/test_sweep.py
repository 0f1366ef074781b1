"""The minute tick: what no message carries is sent when it is due, and nothing else is read."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lanework import App, Jobs, State
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.ports.messages import Unsent
from lanework.errors import UnavailableError
from lanework.model.job.ids import shard_of
from lanework.model.lanes import Lane
from lanework.testing import NOON, app_in_memory, drain
from tests.support.factories import a_record
from tests.support.fakes import Flaky, break_ports
from tests.support.small_world import Greeting, World

BAT = Greeting(name="Bat")
HOUR = timedelta(hours=1)


def test_a_job_that_waits_for_a_day_starts_to_the_second(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1", delay=24 * HOUR)
    sweeper = Sweeper(world.app.ports)
    world.clock.advance(23 * HOUR)
    assert sweeper.tick().sent == 0
    world.clock.advance(timedelta(minutes=50))
    assert sweeper.tick().sent == 1
    assert sweeper.tick().sent == 0, "once is enough"

    world.clock.advance(timedelta(minutes=9, seconds=59))
    assert drain(world.app) == 0
    world.clock.advance(timedelta(seconds=1))
    drain(world.app)
    assert (world.stored().state, world.stored().started_at) == (State.COMPLETED, NOON + 24 * HOUR)


def test_a_job_that_sqs_did_not_take_is_sent_by_the_next_tick(world: World) -> None:
    _, lanes = break_ports(world.app)
    lanes.broken.add("send")
    world.greet.enqueue(BAT, job_id="job-1")
    lanes.broken.clear()

    assert Sweeper(world.app.ports).tick().sent == 1
    assert lanes.port.counts(Lane.HIGH).waiting == 1


def test_an_entry_stays_until_its_job_ends_and_sends_it_again_each_hour(world: World) -> None:
    world.app.ports.ledger.put(a_record(sweep_at=NOON))
    sweeper = Sweeper(world.app.ports)
    assert sweeper.tick().sent == 1
    world.clock.advance(HOUR)
    assert sweeper.tick().sent == 1
    drain(world.app)

    world.clock.advance(2 * HOUR)
    assert (sweeper.tick().sent, world.greeted) == (0, [("Bat", 1)])


def test_a_job_due_on_the_last_day_that_there_is_is_sent_once_and_not_by_each_tick(world: World) -> None:
    last = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    world.app.ports.ledger.put(a_record(run_at=last, due_at=last, sweep_at=NOON))
    sweeper = Sweeper(world.app.ports)

    assert [sweeper.tick().sent for _ in range(3)] == [1, 0, 0]


def test_while_sqs_is_down_a_tick_tries_once_and_leaves_the_rest_to_the_next(world: World) -> None:
    for number in range(10):
        world.app.ports.ledger.put(a_record(job_id=f"job-{number}", sweep_at=NOON))
    _, lanes = break_ports(world.app)
    lanes.port = _Refusing(lanes.port)

    swept = Sweeper(world.app.ports).tick()

    assert (swept.sent, len(lanes.calls)) == (0, 1), "one try for each lane"


def test_a_job_whose_payload_was_lost_is_reported_and_not_sent_to_its_death(world: World) -> None:
    world.app.ports.ledger.put(a_record(sweep_at=NOON, payload=None))

    Sweeper(world.app.ports).tick()

    assert world.events.actions == ["job.not_sent"]
    assert (world.stored().state, world.app.ports.lanes.counts(Lane.HIGH).waiting) == (State.QUEUED, 0)


def test_a_tick_without_time_leaves_the_rest_to_the_next(world: World) -> None:
    for number in range(10):
        world.app.ports.ledger.put(a_record(job_id=f"job-{number}", sweep_at=NOON))

    assert Sweeper(world.app.ports).tick(has_time=lambda: False).is_done is False
    assert Sweeper(world.app.ports).tick().sent == 10


@pytest.mark.parametrize("error", [ZeroDivisionError(), UnavailableError("throttled")])
@pytest.mark.parametrize(("port", "method"), [("ledger", "due"), ("flags", "read"), ("limits", "contended")])
def test_what_fails_in_one_part_of_the_sweep_keeps_no_other_job_waiting(
    world: World, port: str, method: str, error: Exception
) -> None:
    for number in range(40):
        world.app.ports.ledger.put(a_record(job_id=f"job-{number}", sweep_at=NOON))
    flaky = Flaky(getattr(world.app.ports, port))

    def answer(*args: Any, **kwargs: Any) -> Any:
        if args[:1] in ((), (0,)):  # of the shards of the sweep, the first
            raise error
        return getattr(flaky.port, method)(*args, **kwargs)

    flaky.answers[method] = answer
    stand_in: Any = {port: flaky}
    world.app.use(replace(world.app.ports, **stand_in))
    in_the_first = sum(shard_of(f"job-{number}") == 0 for number in range(40)) if method == "due" else 0

    with pytest.raises(UnavailableError) if isinstance(error, UnavailableError) else nullcontext():
        Sweeper(world.app.ports).tick()

    assert world.app.ports.lanes.counts(Lane.HIGH).waiting == 40 - in_the_first
    assert ("worker.fault" in world.events.actions) is not isinstance(error, UnavailableError)


def test_draining_goes_on_until_nothing_is_due_in_any_lane() -> None:
    family = Jobs(queue="email")

    @family.job("mail.second", lane="critical")
    def second(_: Greeting) -> None: ...

    @family.job("mail.first", lane="batch")
    def first(greeting: Greeting) -> None:
        second.enqueue(greeting, job_id="second")

    app = app_in_memory(App(family))
    first.enqueue(BAT)

    assert drain(app) == 2
    assert app.get("second").state is State.COMPLETED


class _Refusing:
    def __init__(self, port: object) -> None:
        self._port = port

    def send_many(self, _: Lane, sendings: list[object]) -> dict[int, Unsent]:
        return dict.fromkeys(range(len(sendings)), Unsent(UnavailableError("down")))

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)
