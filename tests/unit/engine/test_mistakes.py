"""What a caller gets wrong is a LaneworkError with a short text, at once: whatever the value, wherever it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

import lanework
from lanework import App, Concurrency, Jobs, Lane, Quota, Rate, RetryAfter, Snooze, chain, group
from lanework.errors import LaneworkError
from lanework.testing import Clock, app_in_memory
from tests.support.small_world import Greeting

HOUR = timedelta(hours=1)
HUGE = 10**5_000
"""Python refuses to write it: more than 4,300 digits."""

EAST, WEST = timezone(14 * HOUR), timezone(-14 * HOUR)


class Nowhere(tzinfo):
    """A zone that doesn't say where it is."""

    def utcoffset(self, _: datetime | None) -> None:
        """Say nothing."""

    def dst(self, _: datetime | None) -> None:
        """Say nothing."""

    def tzname(self, _: datetime | None) -> None:
        """Say nothing."""


VALUES: list[Any] = [
    *("", "x", "\ud800", "\x00", "x" * 10_000, "9" * 5_000, b"x", None, True, False, 0, -1, 1, 1.5),
    *(float("nan"), float("inf"), HUGE, -HUGE, [], [1], ("a",), {}, ["\ud800"], ["x"] * 60, object(), len),
    *(timedelta.max, timedelta.min, timedelta(0), timedelta(microseconds=1), date(2026, 1, 1), Lane.HIGH, 6, "5"),
    *(datetime(1, 1, 1), datetime(9999, 12, 31), datetime.min.replace(tzinfo=EAST), datetime.max.replace(tzinfo=WEST)),  # noqa: DTZ001
    *(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime(2026, 1, 1, tzinfo=Nowhere())),
]
HASHABLE = [one for one in VALUES if not isinstance(one, list | dict)]

family = Jobs(queue="email")


@family.job("user.greeting", key="name")
def greet(_: Greeting) -> None: ...


@family.job("user.counted", quota=Quota(1_000, per=HOUR, key="name"))
def counted(_: Greeting) -> None: ...


app = app_in_memory(App(family), Clock())
BAT = Greeting(name="Bat")
OPTIONS = [
    *("lane", "delay", "run_at", "start_by", "job_id", "tenant", "correlation_id", "attempts", "backoff", "timeout"),
    *("webhook", "unique_for", "debounce", "after", "on_failure", "fallback"),
]
DECLARED = [
    *("lane", "attempts", "backoff", "timeout", "where", "webhook", "concurrency", "rate", "quota", "key"),
    *("unique_for", "debounce", "cron", "every", "tz", "overlap", "catch_up", "version", "aliases"),
]
SCHEDULED = ["cron", "every", "tz", "overlap", "payload", "name"]
OPENED = [
    *("queue", "lane", "attempts", "backoff", "timeout", "webhook", "concurrency", "rate", "quota"),
    *("keep_completed", "keep_failed"),
]


def declare(**said: Any) -> None:
    """Declare a job type."""

    @Jobs(queue="x").job("x.y", **said)
    def job(_: Greeting) -> None: ...


def waiting() -> str:
    """Return the id of a job that waits."""
    return greet.enqueue(BAT, delay=HOUR).job_id


def of_options(call: Callable[..., object], names: list[str]) -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Yield each option of a call, as a call of one value."""
    for name in names:
        yield name, lambda value, name=name: call(**{name: value})  # type: ignore[misc]


def add(**said: Any) -> None:
    """Add a schedule."""
    app.schedules.add(said.pop("name", "nightly"), "user.greeting", **{"payload": {"name": "Bat"}, **said})


CALLS: dict[str, Callable[[Any], object]] = {
    **{f"enqueue {name}": call for name, call in of_options(lambda **said: greet.enqueue(BAT, **said), OPTIONS)},
    **{f"declare {name}": call for name, call in of_options(declare, DECLARED)},
    **{f"open {name}": call for name, call in of_options(lambda **said: Jobs(**{"queue": "x", **said}), OPENED)},
    **{f"schedule {name}": call for name, call in of_options(add, SCHEDULED)},
    "a payload": greet.enqueue,
    "one of many payloads": lambda value: greet.enqueue_many([value]),
    "many payloads": greet.enqueue_many,
    "a payload by name": lambda value: app.enqueue("user.greeting", value),
    "a type's name": lambda value: app.enqueue(value, {}),
    "a field": lambda value: app.enqueue("user.greeting", {"name": value}),
    "a quota's key": lambda value: app.enqueue("user.counted", {"name": value}),
    "an unknown option": lambda value: greet.enqueue(BAT, wrong=value),  # type: ignore[call-arg]
    "a header": lambda value: greet.request(BAT).with_headers({"a": value}),
    "a signal's name": lambda value: app.signal(waiting(), value, {}),
    "a signal's payload": lambda value: app.signal(waiting(), "go", value),
    "a new start": lambda value: app.reschedule(waiting(), run_at=value),
    "a new delay": lambda value: app.reschedule(waiting(), delay=value),
    "a job's id": app.get,
    "a job to cancel": app.cancel,
    "a workflow's id": lambda value: app.workflows.enqueue(group([greet.request(BAT)]), workflow_id=value),
    "a workflow's name": app.workflows.get,
    "a step": lambda value: group([value]),
    "steps": group,
    "a link's field": greet.link,
    "what a link is given": lambda value: greet.link("name", given=value),
    "a link's value": lambda value: app.workflows.enqueue(
        chain(greet.request(BAT), greet.link("name", given={"provider": value}))
    ),
    "a lane to pause": lambda value: app.pause(lane=value),
    "a queue to pause": lambda value: app.pause(queue=value),
    "a type to pause": lambda value: app.pause(job_type=value),
    "a snooze": Snooze,
    "a retry's wait": RetryAfter,
    "slots": Concurrency,
    "a rate's n": lambda value: Rate(value, per=HOUR),
    "a rate's window": lambda value: Rate(5, per=value),
    "a quota's n": lambda value: Quota(value, per=HOUR),
    "a quota's window": lambda value: Quota(5, per=value),
}
LONGEST = 1_500


@pytest.mark.parametrize("what", CALLS)
def test_whatever_is_given_is_taken_or_refused_by_a_short_sentence(what: str) -> None:
    for value in VALUES:
        try:
            CALLS[what](value)
        except LaneworkError as error:
            text = str(error)
            assert len(text.encode()) < LONGEST, f"{what}: {text[:200]}"


def test_a_header_and_a_field_may_be_named_anything_that_a_mapping_holds() -> None:
    for value in HASHABLE:
        with pytest.raises(LaneworkError):
            greet.request(BAT).with_headers({value: "a", "": "b"})
        with pytest.raises(LaneworkError):
            greet.link("name", given={value: 1, "provide": 1})


def test_true_is_no_number_and_no_lane() -> None:
    refused: list[Callable[[], object]] = [
        lambda: greet.enqueue(BAT, lane=True),  # type: ignore[arg-type]
        lambda: greet.enqueue(BAT, attempts=True),
        lambda: Concurrency(True),  # noqa: FBT003 - it is the point
        lambda: Jobs(queue="x", keep_completed=True),
        lambda: declare(version=True),
    ]
    for call in refused:
        with pytest.raises(LaneworkError, match="True"):
            call()


def test_a_start_in_a_hundred_years_is_refused() -> None:
    for run_at in (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=WEST)):
        with pytest.raises(LaneworkError, match="run_at"):
            greet.enqueue(BAT, run_at=run_at)
        with pytest.raises(LaneworkError, match="run_at"):
            app.reschedule(waiting(), run_at=run_at)


def test_the_errors_of_the_public_names_are_one_tree() -> None:
    errors = [one for one in vars(lanework).values() if isinstance(one, type) and issubclass(one, Exception)]

    outcomes = {"EndsAttempt", "Snooze", "RetryAfter", "Discard", "Cancel"}
    assert [one.__name__ for one in errors if not issubclass(one, LaneworkError) and one.__name__ not in outcomes] == []
