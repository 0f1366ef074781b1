"""A write that others come between is read and made anew, for a while."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lanework.errors import ContendedError, UnavailableError
from lanework.testing import NOON, Clock, memory_ports


def test_a_write_that_others_came_between_is_made_anew() -> None:
    answers = iter([None, None, "written"])

    assert memory_ports().retry_conflicts(lambda: next(answers), what="it") == "written"


def test_a_port_says_that_others_came_between_by_its_error() -> None:
    tries: list[int] = []

    def attempt() -> int:
        tries.append(len(tries))
        if len(tries) == 1:
            msg = "being written"
            raise ContendedError(msg)
        return len(tries)

    assert memory_ports().retry_conflicts(attempt, what="it") == 2


def test_it_gives_up_within_five_seconds_and_says_what_it_could_not_write() -> None:
    clock = Clock()
    tries: list[None] = []

    with pytest.raises(ContendedError, match="schedule 'nightly' is being written by other processes"):
        memory_ports(clock).retry_conflicts(lambda: tries.append(None), what="schedule 'nightly'")

    assert len(tries) == 20
    assert timedelta(seconds=2) < clock() - NOON < timedelta(seconds=5)


def test_another_error_ends_it_at_once() -> None:
    tries: list[None] = []

    def attempt() -> str:
        tries.append(None)
        msg = "no answer"
        raise UnavailableError(msg)

    with pytest.raises(UnavailableError, match="no answer"):
        memory_ports().retry_conflicts(attempt, what="it")
    assert len(tries) == 1
