"""What an application gives to another process, and what its fork begins anew."""

from __future__ import annotations

import pickle
from datetime import timedelta
from threading import Event, Thread, Timer

import pytest
from pydantic import BaseModel

from lanework import App, ConfigError, Jobs, Receipt
from lanework.forks import no_fork_meanwhile
from lanework.testing import Clock, app_in_memory
from tests.support.forking import in_a_fork


class Number(BaseModel):
    """Payload of the application's job."""

    n: int


numbers = Jobs(queue="numbers")


@numbers.job("number.square")
def square(number: Number) -> int:
    return number.n**2


app = App(numbers)


def test_a_jobs_enqueue_goes_to_another_process_by_name() -> None:
    """A pool refused it: the function that was pickled is not the name's job."""
    assert pickle.loads(pickle.dumps(square.enqueue)) == square.enqueue  # noqa: S301 - made here


def test_a_receipt_comes_back_without_the_application() -> None:
    app_in_memory(app, Clock())
    receipt = square.enqueue(Number(n=3))

    back: Receipt[int] = pickle.loads(pickle.dumps(receipt))  # noqa: S301 - made here

    assert back == receipt
    with pytest.raises(ConfigError, match="another process: ask the App"):
        back.result(timeout=timedelta(0))


def test_a_fork_waits_for_a_thread_that_imports() -> None:
    """A child that was forked in the middle of it hung at its first enqueue."""
    is_importing, may_end, imported = Event(), Event(), list[str]()

    def import_a_module() -> None:
        with no_fork_meanwhile():
            is_importing.set()
            may_end.wait()
            imported.append("boto3")

    def in_the_child() -> str:
        with no_fork_meanwhile():
            return str(imported)

    Thread(target=import_a_module).start()
    is_importing.wait()
    Timer(0.05, may_end.set).start()

    assert in_a_fork(in_the_child) == "['boto3']"
