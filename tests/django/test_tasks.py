"""Tasks as jobs: what is enqueued, what runs, and what its result says."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import frameworks
import pytest
from frameworks import InvalidTask, TaskResultDoesNotExist, TaskResultMismatch, TaskResultStatus, task_backends

from lanework import Lane, QuotaExceededError, State, TimedOut
from lanework.testing import NOON, drain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework import App
    from lanework.testing import Clock

HOUR = timedelta(hours=1)


@pytest.fixture
def tasks(app: App) -> Any:  # noqa: ARG001 - in memory
    from shop import tasks  # noqa: PLC0415 - Django is set up by now

    return tasks


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str]]]:
    """The framework's signals, with the status of what they are about."""
    found: list[tuple[str, str]] = []
    receivers = []
    for name in ("task_enqueued", "task_started", "task_finished"):

        def receive(*, task_result: Any, name: str = name, **_: Any) -> None:
            found.append((name.removeprefix("task_"), task_result.status.value))

        getattr(frameworks, name).connect(receive)
        receivers.append((getattr(frameworks, name), receive))
    yield found
    for signal, receive in receivers:
        signal.disconnect(receive)


def test_a_task_is_a_job_of_its_own_type_and_its_result_is_the_jobs(app: App, tasks: Any) -> None:
    result = tasks.greet.enqueue("Anu", greeting="Good morning")

    assert (result.status, result.attempts, result.enqueued_at) == (TaskResultStatus.READY, 0, NOON)
    assert tasks.greet.get_result(result.id) == result
    assert app.get(result.id).type == "shop.tasks.greet"
    drain(app)
    result.refresh()
    assert (result.status, result.return_value, result.attempts) == (
        TaskResultStatus.SUCCESSFUL,
        "Good morning, Anu!",
        1,
    )
    read = task_backends["default"].get_result(result.id)
    assert (read.args, read.kwargs, read.task) == (["Anu"], {"greeting": "Good morning"}, tasks.greet)
    assert (read.started_at, read.finished_at, read.errors) == (NOON, NOON, [])


def test_an_async_task_runs_and_is_enqueued_from_async_code(app: App, tasks: Any) -> None:
    async def enqueued() -> Any:
        return await tasks.greet_async.aenqueue("Bat")

    result = asyncio.run(enqueued())
    drain(app)

    assert asyncio.run(tasks.greet_async.aget_result(result.id)).return_value == {"name": "Bat"}


@pytest.mark.parametrize("name", ["flaky", "flaky_async"])
def test_a_task_that_fails_is_tried_again_and_its_result_has_each_error(
    app: App, tasks: Any, clock: Clock, name: str
) -> None:
    result = getattr(tasks, name).enqueue(2)
    for _ in range(3):
        drain(app)
        clock.advance(HOUR)

    result.refresh()
    assert (result.status, result.attempts) == (TaskResultStatus.SUCCESSFUL, 3)
    assert [one.exception_class for one in result.errors] == [ValueError, ValueError]
    assert [one.traceback.splitlines()[-1] for one in result.errors] == [
        "ValueError: attempt 1 failed",
        "ValueError: attempt 2 failed",
    ]
    assert "in flaky" in result.errors[0].traceback
    assert result.errors[0].traceback.startswith("Traceback (most recent call last):\n")


def test_between_two_attempts_a_task_is_ready_again(app: App, tasks: Any) -> None:
    result = tasks.flaky.enqueue(1)
    drain(app)

    result.refresh()
    assert (result.status, result.attempts, len(result.errors)) == (TaskResultStatus.READY, 1, 1)


def test_a_task_that_used_its_attempts_up_has_failed(app: App, tasks: Any, clock: Clock) -> None:
    result = tasks.flaky.enqueue(9)
    for _ in range(3):
        drain(app)
        clock.advance(HOUR)

    result.refresh()
    assert (result.status, len(result.errors)) == (TaskResultStatus.FAILED, 3)
    with pytest.raises(ValueError, match="Task failed"):
        result.return_value  # noqa: B018 - a property that raises
    assert app.get(result.id).state is State.DEAD


def test_the_class_of_an_error_is_found_where_it_is_declared(app: App, tasks: Any) -> None:
    result = tasks.charge.enqueue()
    drain(app)

    result.refresh()
    assert (result.status, result.attempts) == (TaskResultStatus.FAILED, 1)
    assert [one.exception_class for one in result.errors] == [tasks.CardDeclinedError]
    assert result.errors[0].traceback.endswith("CardDeclinedError: no money\n")


def test_a_task_whose_time_is_over_says_so(app: App, tasks: Any) -> None:
    result = tasks.hang.enqueue()
    drain(app)

    result.refresh()
    assert (result.status, result.errors[0].exception_class) == (TaskResultStatus.FAILED, TimedOut)


def test_a_task_that_returns_what_is_no_json_has_failed_and_isnt_repeated(app: App, tasks: Any) -> None:
    result = tasks.returns_no_json.enqueue()
    drain(app)

    result.refresh()
    assert (result.status, tasks.RAN) == (TaskResultStatus.FAILED, ["done"])
    assert result.errors[0].exception_class is TypeError
    assert "shop.tasks.returns_no_json returned what isn't JSON" in result.errors[0].traceback


def test_signals_are_sent_once_for_each_thing_that_happens(app: App, tasks: Any, clock: Clock, heard: Any) -> None:
    tasks.flaky.enqueue(1)
    for _ in range(2):
        drain(app)
        clock.advance(HOUR)

    assert heard == [
        ("enqueued", "READY"),
        ("started", "RUNNING"),
        ("started", "RUNNING"),
        ("finished", "SUCCESSFUL"),
    ]


def test_a_job_that_is_given_up_has_finished_and_one_that_snoozes_hasnt(
    app: App, tasks: Any, clock: Clock, heard: Any
) -> None:
    tasks.charge.enqueue()
    drain(app)
    assert heard[-1] == ("finished", "FAILED")

    heard.clear()
    tasks.RAN.clear()
    tasks.snoozes_once.enqueue()
    drain(app)
    assert [name for name, _ in heard] == ["enqueued", "started"]
    clock.advance(HOUR)
    drain(app)
    assert heard[-1] == ("finished", "SUCCESSFUL")


@pytest.mark.parametrize(
    ("priority", "lane"),
    [
        *((100, Lane.CRITICAL), (51, Lane.CRITICAL), (50, Lane.HIGH), (1, Lane.HIGH), (0, Lane.MEDIUM)),
        *((-1, Lane.LOW), (-50, Lane.LOW), (-51, Lane.BATCH), (-100, Lane.BATCH)),
    ],
)
def test_a_priority_is_a_lane(app: App, tasks: Any, priority: int, lane: Lane) -> None:
    result = tasks.greet.using(priority=priority).enqueue("Anu")

    assert app.get(result.id).lane is lane
    read = tasks.greet.get_result(result.id).task.priority
    assert tasks.greet.using(priority=read).enqueue("Anu").id != result.id


def test_a_queue_and_a_start_are_the_jobs(app: App, tasks: Any) -> None:
    at = NOON + timedelta(days=2)
    result = tasks.greet.using(queue_name="email", run_after=at).enqueue("Anu")

    record = app.get(result.id)
    assert (record.queue, record.run_at, record.state) == ("email", at, State.SCHEDULED)
    assert tasks.greet.get_result(result.id).task == tasks.greet.using(queue_name="email", run_after=at)
    assert app.registry.get("shop.tasks.urgent").queue == "email"
    assert app.registry.get("shop.tasks.urgent").options.lane is Lane.CRITICAL


def test_options_of_a_task_are_those_of_its_job(app: App, tasks: Any) -> None:
    first = tasks.export.enqueue(7)
    again = tasks.export.enqueue(user_id=7, fmt="pdf")
    other = tasks.export.enqueue(8)

    assert (again.id, app.get(first.id).lane) == (first.id, Lane.LOW)
    assert other.id != first.id
    assert app.get(first.id).timeout == timedelta(minutes=10)


def test_a_quota_is_counted_by_an_argument(tasks: Any) -> None:
    for _ in range(2):
        tasks.reset_password.enqueue(1)
    tasks.reset_password.enqueue(2)

    with pytest.raises(QuotaExceededError):
        tasks.reset_password.enqueue(1)


def test_a_task_by_name_from_the_command_line_or_another_service(app: App, tasks: Any) -> None:
    receipt = app.enqueue("shop.tasks.greet", {"kwargs": {"name": "Anu"}}, job_id="by-name")
    drain(app)

    assert tasks.greet.get_result(receipt.job_id).return_value == "Hello, Anu!"


def test_a_result_that_isnt_there_or_is_of_another_task_is_told_apart(tasks: Any) -> None:
    result = tasks.greet.enqueue("Anu")

    with pytest.raises(TaskResultDoesNotExist, match="no job 'nothing'"):
        tasks.greet.get_result("nothing")
    with pytest.raises(TaskResultMismatch):
        tasks.urgent.get_result(result.id)


def test_arguments_that_cant_be_sent_say_which_and_what_to_do(tasks: Any) -> None:
    with pytest.raises(TypeError, match=r"argument greeting of shop.tasks.greet isn't JSON; give the task an id"):
        tasks.greet.enqueue("Anu", greeting=object())
    with pytest.raises(TypeError, match=r"argument 1 of shop.tasks.greet isn't JSON"):
        tasks.greet.enqueue(datetime.now(UTC))
    with pytest.raises(TypeError, match=r"shop.tasks.greet can't be called so: missing a required argument: 'name'"):
        tasks.greet.enqueue()


def test_a_task_that_the_backend_cant_run_is_refused_where_it_is_made(tasks: Any) -> None:
    with pytest.raises(
        InvalidTask,
        match=r"Queue 'mail' is not valid for backend\. Add it to QUEUES of TASKS\['default'\], did you mean 'email'",
    ):
        tasks.greet.using(queue_name="mail")
    with pytest.raises(InvalidTask, match="priority must be a whole number between -100 and 100"):
        tasks.greet.using(priority=101)
    with pytest.raises(InvalidTask, match="both lane='low' and priority=5: leave one out"):
        tasks.export.using(priority=5)


@pytest.mark.usefixtures("app")
def test_an_unknown_option_is_named_with_the_nearest() -> None:
    from lanework.django import job_options  # noqa: PLC0415 - Django is set up by now

    with pytest.raises(TypeError, match="unknown option 'atempts' of job_options, did you mean 'attempts'"):
        job_options(atempts=3)
    with pytest.raises(TypeError, match=r"unknown option 'tiemout' of task refund, did you mean 'timeout'"):
        made_of(refund, tiemout=3)


def made_of(function: Any, **options: Any) -> Any:
    """Return what `@task(…)` makes, in those versions that pass options on."""
    of_the_decorator = {"priority": 0, "backend": "default", "queue_name": "default", "run_after": None}
    return task_backends["default"].task_class(func=function, **of_the_decorator, **options)


def refund() -> None:
    """A function at the top of a module."""


def test_a_task_class_of_our_own_takes_the_options(app: App) -> None:
    made = made_of(refund, lane="high", attempts=9)

    assert app.get(made.enqueue().id).max_attempts == 9
    assert app.get(replace(made, attempts=4).enqueue().id).max_attempts == 4
    with pytest.raises(InvalidTask, match="unknown lane 'hihg', did you mean 'high'"):
        made_of(other_refund, lane="hihg")


def nightly() -> None:
    """One that a schedule starts."""


def by_user(user_id: int) -> int:
    """One that wants an argument."""
    return user_id


def test_a_task_has_a_schedule_if_it_can_be_called_without_arguments(app: App) -> None:  # noqa: ARG001 - is set up
    backend = task_backends["default"]
    made = made_of(nightly, cron="0 3 * * *", tz="Europe/Berlin")

    assert backend.job_of(made).type.schedule is not None
    with pytest.raises(
        InvalidTask, match="has a schedule, which calls it without arguments: missing a required argument: 'user_id'"
    ):
        made_of(by_user, every=HOUR)


def other_refund() -> None:
    """Another one, for a task is declared once."""
