from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from lanework import App, DeclarationError, InvalidOptionError, Jobs, Run, UnknownLaneError
from lanework.testing import a_run, app_in_memory
from tests.support.small_world import Greeting


def test_a_job_can_be_called_directly_in_a_unit_test() -> None:
    family = Jobs(queue="email")
    sent: list[str] = []

    @family.job("a.greeting")
    def greet(greeting: Greeting, run: Run, *, send: object = None) -> str:
        assert callable(send)
        send(f"{run.job_id}: {greeting.name}")
        return "sent"

    assert greet(Greeting(name="Bat"), a_run(job_id="job-7"), send=sent.append) == "sent"
    assert sent == ["job-7: Bat"]


def test_a_job_keeps_the_name_and_the_docstring_of_its_function() -> None:
    family = Jobs(queue="email")

    @family.job("a.greeting")
    def greet(greeting: Greeting) -> None:
        """Greet."""

    assert (greet.__name__, greet.__doc__, greet.name) == ("greet", "Greet.", "a.greeting")
    assert repr(greet) == "<Job a.greeting of queue 'email'>"


def without_payload() -> None: ...
def without_annotation(greeting) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001
def of_no_model(name: str) -> None: ...
def with_a_demand(greeting: Greeting, run: Run, send: object) -> None: ...
def with_an_unannotated_run(greeting: Greeting, run) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001
def with_keyword_payload(*, greeting: Greeting) -> None: ...
def of_a_model_that_is_nowhere(greeting: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (without_payload, "takes no payload"),
        (without_annotation, "parameter 'greeting' must be annotated with a pydantic model"),
        (of_no_model, "parameter 'name' must be annotated with a pydantic model"),
        (with_a_demand, "parameter 'send' needs a default"),
        (with_an_unannotated_run, "parameter 'run' needs a default.*annotated Run"),
        (with_keyword_payload, "takes no payload"),
        (of_a_model_that_is_nowhere, "'Nowhere' can't be resolved; import it at run time"),
    ],
)
def test_a_function_that_cannot_be_a_job_is_refused_where_it_is_declared(function: object, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        Jobs(queue="email").job("a.greeting")(function)  # type: ignore[call-overload]


def test_a_misspelt_lane_is_refused_where_it_is_declared() -> None:
    with pytest.raises(UnknownLaneError, match="did you mean 'critical'"):
        Jobs(queue="email").job("a.greeting", lane="critcal")  # type: ignore[arg-type]
    with pytest.raises(UnknownLaneError, match="did you mean 'low'"):
        Jobs(queue="email", lane="lo")  # type: ignore[arg-type]


def test_a_misspelt_option_is_refused_where_it_is_declared_and_the_nearest_is_named() -> None:
    misspelt: dict[str, Any] = {"atempts": 3}
    with pytest.raises(InvalidOptionError, match="unknown option 'atempts' of a family, did you mean 'attempts'"):
        Jobs(queue="email", **misspelt)
    with pytest.raises(InvalidOptionError, match=r"'atempts' of job 'a\.greeting', did you mean 'attempts'"):
        Jobs(queue="email").job("a.greeting", **misspelt)


@pytest.mark.parametrize("attempts", [0, -1, 101])
def test_attempts_out_of_range_are_refused_where_they_are_declared(attempts: int) -> None:
    with pytest.raises(InvalidOptionError, match=f"attempts must be between 1 .* and 100, got {attempts}"):
        Jobs(queue="email", attempts=attempts)


def test_a_name_is_declared_once_in_a_family_and_once_in_an_app() -> None:
    one, other = Jobs(queue="one"), Jobs(queue="other")
    one.job("a.greeting")(a_job)
    other.job("a.greeting")(a_job)

    with pytest.raises(DeclarationError, match=r"'a\.greeting' is declared twice in queue 'one'"):
        one.job("a.greeting")(a_job)
    with pytest.raises(DeclarationError, match="declared twice, in queues 'one' and 'other'"):
        App(one, other)


def test_a_type_that_is_declared_too_late_for_its_app_is_refused() -> None:
    family = Jobs(queue="late")
    App(family)

    with pytest.raises(DeclarationError, match="declared after its family joined an App"):
        family.job("a.greeting")(a_job)


def a_job(greeting: Greeting) -> None: ...


class Empty(BaseModel):
    """A payload without fields."""


def test_a_payload_may_be_empty() -> None:
    family = Jobs(queue="email")

    @family.job("a.tick")
    def tick(_: Empty) -> int:
        return 1

    assert tick(Empty()) == 1


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"timeout": 10}, r"timeout must be a timedelta, as in timeout=timedelta\(seconds=10\), got 10"),
        ({"backoff": 2}, "backoff must be a timedelta"),
        ({"unique_for": 60, "key": "user_id"}, "unique_for must be a timedelta"),
        ({"rate": 100}, r"a limit is .*Rate\(100, per=timedelta\(minutes=1\)\).*, got 100"),
        ({"rate": "100/m"}, "got '100/m'"),
    ],
)
def test_a_number_as_other_queues_take_it_is_refused_with_what_is_meant(said: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidOptionError, match=complaint):
        Jobs(queue="email").job("user.welcome", **said)
    if said.keys() <= {"timeout", "backoff", "rate"}:
        with pytest.raises(InvalidOptionError, match=complaint):
            Jobs(queue="email", **said)


def test_a_decorator_without_its_name_says_how_it_is_written() -> None:
    def welcome() -> None:
        """Say nothing."""

    with pytest.raises(DeclarationError, match=r'write @email\.job\("email\.…"\) over the function'):
        Jobs(queue="email").job(welcome)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"jobid": "once"}, "unknown option 'jobid' of an enqueue, did you mean 'job_id'?"),
        ({"countdown": 10}, "unknown option 'countdown' of an enqueue; known: after, attempts, "),
        ({"delay": 10}, r"delay must be a timedelta, as in delay=timedelta\(seconds=10\), got 10"),
        ({"timeout": 10}, "timeout must be a timedelta"),
        ({"run_at": "2026-12-24"}, "run_at must be a datetime with a time zone, got '2026-12-24'"),
    ],
)
def test_an_option_that_an_enqueue_does_not_have_is_refused_and_not_passed_over(
    said: dict[str, Any], complaint: str
) -> None:
    family = Jobs(queue="email")
    family.job("a.greeting")(a_job)
    app = app_in_memory(App(family))

    with pytest.raises(InvalidOptionError, match=complaint):
        app.enqueue("a.greeting", {"name": "Bat"}, **said)
