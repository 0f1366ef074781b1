"""An application as a server loads it before it forks: of jobs, and a WSGI application that enqueues them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any

from pydantic import BaseModel

from lanework import App, Jobs


class Number(BaseModel):
    """Payload of the application's jobs."""

    n: int


numbers = Jobs(queue="numbers", lane="high")


@numbers.job("number.square")
def square(number: Number) -> int:
    return number.n**2


numbers_app = App(numbers)


def web(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    """Enqueue the number that is the path; answer which process did so."""
    square.enqueue({"n": int(environ["PATH_INFO"].strip("/"))})
    start_response("202 Accepted", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def used_before() -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application of a parent that has enqueued, and goes on in a thread while it forks."""
    square.enqueue({"n": 0})

    def go_on() -> None:
        for n in range(1, 40):
            square.enqueue({"n": n})

    Thread(target=go_on).start()
    return web
