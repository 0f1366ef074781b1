"""What a job returns holds no code that is yet to run, however deep; and what a step returned can be read again."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count, starmap, takewhile
from multiprocessing.pool import ThreadPool
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ConfigDict

from lanework import App, InvalidOptionError, Jobs, State
from lanework.engine.execution.outcome import of_value
from lanework.testing import a_run, app_in_memory, drain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

charged: list[int] = []


def charge(number: int) -> int:
    charged.append(number)
    return number


async def coroutine() -> int:
    return charge(0)


@contextmanager
def managed() -> Iterator[int]:
    yield charge(0)


class Own:
    """An iterator of the user's."""

    def __iter__(self) -> Own:
        return self

    def __next__(self) -> int:
        if charged:
            raise StopIteration
        return charge(0)


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    inside: Any


@dataclass
class Holder:
    inside: Any


class Nothing(BaseModel):
    """A payload without content."""


def asynchronous() -> object:
    with ThreadPool(1) as pool:
        return pool.apply_async(int)


RETURNED: dict[str, Callable[[], object]] = {
    "generator in a dict": lambda: {"charge": (charge(i) for i in range(3))},
    "starmap": lambda: starmap(charge, [(1,), (2,)]),
    "chain": lambda: chain(charge(i) for i in range(3)),
    "takewhile": lambda: takewhile(lambda one: charge(one) < 3, count()),
    "zip": lambda: zip(map(charge, range(3)), range(3), strict=True),
    "enumerate": lambda: enumerate(map(charge, range(3))),
    "own iterator": Own,
    "coroutines": lambda: [coroutine(), coroutine()],
    "coroutine in a tuple": lambda: (coroutine(),),
    "coroutine in a dict": lambda: {"a": [{"b": coroutine()}]},
    "generator in a set": lambda: {(charge(i) for i in range(3))},
    "generator in a frozenset": lambda: [frozenset({(charge(i) for i in range(3))})],
    "context manager": managed,
    "result of a pool": asynchronous,
    "generator in a model": lambda: Model(inside=(charge(i) for i in range(3))),
    "generator in a dataclass": lambda: Holder(inside=(charge(i) for i in range(3))),
}


def ended(*, is_async: bool, code: Callable[[], object]) -> Any:
    family = Jobs(queue="tasks", attempts=1)

    def run_here(_: Nothing) -> object:
        return code()

    async def run_on_loop(_: Nothing) -> object:
        await asyncio.sleep(0)
        return code()

    job = family.job("task.one")(run_on_loop if is_async else run_here)
    app = app_in_memory(App(family))
    job.enqueue(Nothing(), job_id="job-1")
    drain(app)
    return app.get("job-1")


@pytest.mark.parametrize("is_async", [False, True], ids=["def", "async def"])
@pytest.mark.parametrize("what", RETURNED)
def test_a_job_that_returns_code_which_has_not_run_has_not_completed(what: str, *, is_async: bool) -> None:
    charged.clear()

    record = ended(is_async=is_async, code=RETURNED[what])

    assert record.state is State.DEAD
    assert "has not run" in record.error
    assert charged == []


@pytest.mark.parametrize("value", [{"a": [1, (2, 3), {4}]}, range(3), Model(inside=[1]), "text", b"bytes"], ids=repr)
def test_a_job_that_returns_data_completes(value: object) -> None:
    assert ended(is_async=False, code=lambda: value).state is State.COMPLETED


def test_a_value_that_holds_itself_is_looked_at_once() -> None:
    endless: list[object] = []
    endless.append(endless)

    assert ended(is_async=False, code=lambda: endless).state is State.COMPLETED


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [10**4400, nested(220)], ids=["4,401 digits", "220 levels"])
def test_a_step_whose_result_could_never_be_read_again_is_refused_and_not_kept(value: object) -> None:
    run = a_run()

    with pytest.raises(InvalidOptionError, match="can't be kept"):
        run.once("charge", lambda: value)

    assert run.once("charge", lambda: "again") == "again"


def test_a_result_that_nests_too_deeply_to_be_read_is_not_kept() -> None:
    assert of_value(nested(220)).omitted is not None
    assert of_value(nested(100)).result == "[" * 100 + "1" + "]" * 100
