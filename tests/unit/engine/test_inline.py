"""`fallback="inline"`: what can be neither recorded nor sent is run by whoever asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from lanework import App, EnqueueError, InvalidOptionError, Jobs, Middleware, Proceed, Receipt, Request, Run, State
from lanework.engine.ports.ledger import UnavailableOne
from lanework.engine.ports.messages import Unsent
from lanework.errors import UnavailableError
from lanework.testing import EventList, app_in_memory, drain
from tests.support.factories import a_record
from tests.support.fakes import Flaky, break_ports, mend_ports
from tests.support.small_world import Greeting, World

BAT = Greeting(name="Bat")
DOWN = Unsent(UnavailableError("down"))
SECOND = timedelta(seconds=1)


def cut_off(app: App) -> tuple[Flaky, Flaky]:
    """Let neither SQS nor DynamoDB answer from now on."""
    ledger, lanes = break_ports(app)
    ledger.broken.add("put")
    lanes.broken.add("send")
    return ledger, lanes


def test_it_is_enqueued_like_any_other_job_while_that_is_possible(world: World) -> None:
    receipt = world.greet.enqueue(BAT, job_id="job-1", fallback="inline")

    assert (receipt.ran_inline, world.greeted) == (False, [])


def test_the_caller_runs_it_once_and_has_its_result_and_it_is_said(world: World) -> None:
    cut_off(world.app)
    world.behave = {"sent": 1}

    receipt = world.greet.enqueue(BAT, job_id="job-1", fallback="inline")

    assert (receipt.job_id, receipt.ran_inline, receipt.result(timeout=SECOND)) == ("job-1", True, {"sent": 1})
    assert world.greeted == [("Bat", 1)]
    (said,) = [one for one in world.events.events if one.action == "job.ran_inline"]
    assert (said.job_id, said.type, said.lane) == ("job-1", "user.greeting", "high")
    assert "was not enqueued" in str(said.reason)


def test_without_it_whoever_asked_is_told(world: World) -> None:
    cut_off(world.app)

    with pytest.raises(EnqueueError):
        world.greet.enqueue(BAT)
    assert world.greeted == []


def test_of_many_none_is_run_by_the_caller(world: World) -> None:
    ledger, lanes = cut_off(world.app)
    ledger.answers["put_many"] = lambda ones: [UnavailableOne("down") for _ in ones]
    lanes.answers["send_many"] = lambda _, ones: dict.fromkeys(range(len(ones)), DOWN)

    with pytest.raises(EnqueueError):
        world.greet.enqueue_many([world.greet.request(BAT, fallback="inline")])
    assert world.greeted == []


def test_what_its_code_raises_is_the_callers(world: World) -> None:
    cut_off(world.app)

    def fail(_: Run) -> None:
        raise ValueError(42)

    world.behave = fail

    with pytest.raises(ValueError, match="42"):
        world.greet.enqueue(BAT, fallback="inline")
    assert len(world.greeted) == 1


def test_steps_run_once_and_a_wait_between_them_says_that_it_takes_a_record(world: World) -> None:
    cut_off(world.app)
    numbers = count(1)

    def steps(run: Run) -> list[int]:
        run.progress(50, "half")
        run.log("halfway")
        return [run.once("count", lambda: next(numbers)) for _ in range(2)]

    world.behave = steps
    assert world.greet.enqueue(BAT, fallback="inline").result(timeout=SECOND) == [1, 1]

    world.behave = lambda run: run.wait(SECOND)
    with pytest.raises(EnqueueError, match="waits between its steps"):
        world.greet.enqueue(BAT, fallback="inline")


def test_an_async_job_runs_too_and_middleware_is_around_it() -> None:
    seen: list[str] = []

    class Around(Middleware):
        @contextmanager
        def run(self, run: Run) -> Iterator[None]:
            seen.append(f"begin {run.job_id}")
            yield
            seen.append("end")

    family = Jobs(queue="email")

    @family.job("user.greeting")
    async def greet(greeting: Greeting) -> str:
        seen.append(greeting.name)
        return "hello"

    app = app_in_memory(App(family, middleware=[Around()]), events=EventList())
    cut_off(app)

    assert greet.enqueue(BAT, job_id="job-1", fallback="inline").result(timeout=SECOND) == "hello"
    assert seen == ["begin job-1", "Bat", "end"]


def test_a_record_that_was_made_though_its_message_could_not_be_sent_is_taken_back(world: World) -> None:
    ledger, lanes = break_ports(world.app)
    lanes.broken.add("send")
    ledger.mute.add("put")

    receipt = world.greet.enqueue(BAT, job_id="job-1", fallback="inline")

    assert (receipt.ran_inline, world.greeted) == (True, [("Bat", 1)])
    mend_ports(world.app)
    assert world.stored().state is State.CANCELLED


def test_a_job_that_runs_already_is_left_to_its_worker(world: World) -> None:
    world.app.ports.ledger.put(a_record(state=State.RUNNING, claim_id="c1", attempts=1))
    cut_off(world.app)

    receipt = world.greet.enqueue(BAT, job_id="job-1", fallback="inline")

    assert (receipt.ran_inline, receipt.duplicate, world.greeted) == (False, True, [])


def test_an_async_job_runs_where_its_caller_is_in_an_event_loop_too() -> None:
    family = Jobs(queue="email")

    @family.job("user.greeting")
    async def greet(_: Greeting) -> str:
        return "hello"

    cut_off(app_in_memory(App(family), events=EventList()))

    async def caller() -> object:
        return greet.enqueue(BAT, fallback="inline").result(timeout=SECOND)

    assert asyncio.run(caller()) == "hello"


@pytest.mark.parametrize(
    "said", [{"delay": SECOND}, {"after": ["job-0"]}, {"unique_for": timedelta(hours=1)}, {"fallback": "later"}]
)
def test_what_can_not_be_run_at_once_is_refused(said: dict[str, Any]) -> None:
    family = Jobs(queue="email", lane="high")

    @family.job("user.farewell", key="name")
    def farewell(_: Greeting) -> None: ...

    app_in_memory(App(family))
    with pytest.raises(InvalidOptionError, match="fallback"):
        farewell.enqueue(BAT, **{"fallback": "inline", **said})


class Twice(Middleware):
    """Proceeds once more, whatever comes; the second time with another header, and after what happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.meanwhile = meanwhile
        self.receipts: list[Receipt[Any]] = []

    def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[Any]]:
        with suppress(EnqueueError):
            self.receipts += proceed(requests)
        self.meanwhile()
        self.receipts += proceed([one.with_headers({"x-try": "2"}) for one in requests])
        return self.receipts[-1:]


def an_app_that_proceeds_twice(twice: Twice, ran: list[str], *, fails: bool = False) -> tuple[App, Any]:
    family = Jobs(queue="email")

    @family.job("user.greeting")
    def greet(greeting: Greeting) -> str:
        ran.append(greeting.name)
        if fails:
            raise EnqueueError("another", "down")
        return "hello"

    return app_in_memory(App(family, middleware=[twice]), events=EventList()), greet


@pytest.mark.parametrize("job_id", [None, "job-1"])
def test_middleware_that_proceeds_twice_runs_the_job_once(job_id: str | None) -> None:
    ran: list[str] = []
    app, greet = an_app_that_proceeds_twice(twice := Twice(), ran)
    cut_off(app)

    receipt = greet.enqueue(BAT, job_id=job_id, fallback="inline")

    assert ran == ["Bat"]
    assert [(one.ran_inline, one.duplicate) for one in twice.receipts] == [(True, False), (True, True)]
    assert (receipt.job_id, receipt.result(timeout=SECOND)) == (twice.receipts[0].job_id, "hello")


def test_middleware_that_tries_again_does_not_run_a_job_again_whose_own_enqueue_failed() -> None:
    """Its code raised what a failed enqueue raises, and so it ran once more."""
    ran: list[str] = []
    app, greet = an_app_that_proceeds_twice(Twice(), ran, fails=True)
    cut_off(app)

    with pytest.raises(EnqueueError, match="another"):
        greet.enqueue(BAT, fallback="inline")
    assert ran == ["Bat"]


def test_a_job_that_ran_here_is_not_enqueued_as_well_once_that_is_possible_again() -> None:
    ran: list[str] = []
    app, greet = an_app_that_proceeds_twice(twice := Twice(), ran)
    cut_off(app)
    twice.meanwhile = lambda: mend_ports(app)

    greet.enqueue(BAT, fallback="inline")

    assert (ran, drain(app)) == (["Bat"], 0)


def test_a_job_that_is_enqueued_does_not_run_here_because_it_can_not_be_enqueued_twice() -> None:
    ran: list[str] = []
    app, greet = an_app_that_proceeds_twice(twice := Twice(), ran)
    twice.meanwhile = lambda: cut_off(app)

    receipt = greet.enqueue(BAT, fallback="inline")

    assert (ran, receipt.ran_inline, receipt.duplicate) == ([], False, True)


def test_one_job_that_middleware_makes_many_is_refused_and_none_of_them_runs_here() -> None:
    ran: list[str] = []

    class Audited(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[Any]]:
            return proceed([*requests, greet.request(Greeting(name="audit"))])[: len(requests)]

    family = Jobs(queue="email")

    @family.job("user.greeting")
    def greet(greeting: Greeting) -> None:
        ran.append(greeting.name)

    app = app_in_memory(App(family, middleware=[Audited()]), events=EventList())
    ledger, lanes = cut_off(app)
    ledger.answers["put_many"] = lambda ones: [UnavailableOne("down") for _ in ones]
    lanes.answers["send_many"] = lambda _, ones: dict.fromkeys(range(len(ones)), DOWN)

    with pytest.raises(EnqueueError, match="2 of 2 jobs were not enqueued"):
        greet.enqueue(BAT, fallback="inline")
    assert ran == []


def test_what_a_job_enqueues_that_runs_here_takes_its_correlation_along() -> None:
    family, seen = Jobs(queue="email"), []

    @family.job("user.greeting")
    def greet(greeting: Greeting, run: Run) -> None:
        seen.append((greeting.name, run.correlation_id))
        if greeting.name == "Bat":
            greet.enqueue(Greeting(name="next"), fallback="inline")

    cut_off(app_in_memory(App(family), events=EventList()))

    greet.enqueue(BAT, job_id="job-1", fallback="inline")

    assert seen == [("Bat", "job-1"), ("next", "job-1")]
