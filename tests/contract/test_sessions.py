"""The dashboard's sessions, where they are kept: opened, ended and counted by whichever process is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lanework import App, Jobs
from lanework.http.auth.sessions import LASTS, MOST, Sessions
from lanework.http.auth.tokens import Role, Tokens, hash_of
from lanework.testing import Clock

if TYPE_CHECKING:
    from lanework.http.auth.sessions import Session
    from tests.support.backends import Backend

TOKEN = "mine"
TOKENS = Tokens(hashes=((Role.ADMIN, hash_of(TOKEN)),))


@pytest.fixture(name="clock")
def a_clock() -> Clock:
    return Clock()


@pytest.fixture(name="processes")
def two_processes(backend: Backend, clock: Clock) -> tuple[Sessions, Sessions]:
    """Return the sessions as two processes of one stack see them."""
    app = App(Jobs(queue="mail"))
    app.use(replace(backend.ports, clock=clock))
    return Sessions(app), Sessions(app)


def open_ones(sessions: Sessions, *which: Session) -> list[bool]:
    return [sessions.role(one, TOKENS) is Role.ADMIN for one in which]


def test_a_session_that_one_process_opened_is_open_in_another_until_either_ends_it(
    processes: tuple[Sessions, Sessions],
) -> None:
    one, other = processes
    first, second = one.open(TOKEN), other.open(TOKEN)

    assert open_ones(other, first, second) == [True, True]
    other.end(first)
    assert open_ones(one, first, second) == [False, True]
    one.end(second)
    assert open_ones(other, first, second) == [False, False]


def test_a_session_is_over_after_its_time_whatever_was_done_with_it(
    processes: tuple[Sessions, Sessions], clock: Clock
) -> None:
    sessions, _ = processes
    session = sessions.open(TOKEN)

    clock.advance(LASTS - timedelta(seconds=1))
    assert open_ones(sessions, session) == [True]
    clock.advance(timedelta(seconds=1))
    assert open_ones(sessions, session) == [False]


def test_logins_at_the_same_moment_are_all_kept(processes: tuple[Sessions, Sessions]) -> None:
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(lambda number: processes[number % 2].open(TOKEN), range(4)))

    assert open_ones(processes[0], *opened) == [True] * 4


def test_of_too_many_the_oldest_is_over(processes: tuple[Sessions, Sessions], clock: Clock) -> None:
    sessions, _ = processes
    opened = []
    for _ in range(MOST + 1):
        clock.advance(timedelta(seconds=1))
        opened.append(sessions.open(TOKEN))

    assert open_ones(sessions, *opened) == [False, *[True] * MOST]
