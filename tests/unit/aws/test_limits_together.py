"""What threads ask of one limit at the same time is one call, and each gets the answer that it would get alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lanework.aws.combined_calls import MOST, Combined
from lanework.aws.limits import DynamoLimits
from lanework.errors import UnavailableError
from lanework.testing import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.aws.clients import Clients

SECOND = timedelta(seconds=1)


class Endpoint:
    """Answers a call with its parts doubled. The first waits until `release`; what is asked meanwhile is counted."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.has_begun, self.release = threading.Event(), threading.Event()
        self.answer: Callable[[int], int | None] = lambda part: 2 * part
        self.combined = Combined(self.together)

    def together(self, _: str, parts: Sequence[int]) -> list[int | None]:
        self.calls.append(list(parts))
        if len(self.calls) == 1:
            self.has_begun.set()
            assert self.release.wait(10)
        return [self.answer(part) for part in parts]

    def ask(self, parts: Sequence[int]) -> list[Any]:
        """Ask for the first; once its call is under way, for the others, each in a thread; then let it go."""
        with ThreadPoolExecutor(len(parts)) as threads:
            asked = [threads.submit(self.combined.ask, "limit", parts[0])]
            assert self.has_begun.wait(10)
            asked += [threads.submit(self.combined.ask, "limit", part) for part in parts[1:]]
            while self._waiting() < min(len(parts) - 1, MOST):
                threading.Event().wait(0.001)
            self.release.set()
            return [one.exception() or one.result() for one in asked]

    def _waiting(self) -> int:
        return max((len(group.parts) for group in self.combined._open.values()), default=self._most_left())  # noqa: SLF001

    def _most_left(self) -> int:
        return 0 if len(self.calls) == 1 and not self.release.is_set() else MOST


def test_who_asks_while_a_call_is_under_way_goes_with_the_next() -> None:
    endpoint = Endpoint()

    assert endpoint.ask(range(10)) == [2 * part for part in range(10)]
    assert [sorted(call) for call in endpoint.calls] == [[0], list(range(1, 10))]


def test_who_is_alone_asks_at_once_each_time() -> None:
    endpoint = Endpoint()
    endpoint.release.set()

    assert [endpoint.combined.ask("limit", part) for part in range(3)] == [0, 2, 4]
    assert endpoint.calls == [[0], [1], [2]]
    assert (endpoint.combined._open, endpoint.combined._turns) == ({}, {})  # noqa: SLF001 - a limit per user would add up


def test_an_outage_is_told_to_all_that_went_together() -> None:
    endpoint = Endpoint()

    def down(part: int) -> int:
        if part:
            msg = "down"
            raise UnavailableError(msg)
        return 0

    endpoint.answer = down

    first, *others = endpoint.ask(range(5))
    assert first == 0
    assert [type(one) for one in others] == [UnavailableError] * 4
    assert len(endpoint.calls) == 2


def test_what_breaks_the_call_of_one_thread_lets_the_others_ask_singly() -> None:
    endpoint = Endpoint()

    def broken(part: int) -> int:
        if part:
            msg = "a bug"
            raise ZeroDivisionError(msg)
        return 0

    endpoint.answer = broken
    first, *others = endpoint.ask(range(5))

    assert first == 0
    assert sorted(map(repr, others)) == ["None", "None", "None", "ZeroDivisionError('a bug')"]
    endpoint.answer = lambda part: part
    assert endpoint.combined.ask("limit", 7) == 7


@pytest.mark.parametrize("limit", ["one", "another"])
def test_calls_of_different_limits_do_not_wait_for_each_other(limit: str) -> None:
    endpoint = Endpoint()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(endpoint.combined.ask, "one of them", 1)
        assert endpoint.has_begun.wait(10)
        assert endpoint.combined.ask(limit, 2) == 4
        endpoint.release.set()
        assert waiting.result() == 2


class Table:
    """A DynamoDB with one limit's item, of which each update is granted; the first waits until `release`."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.has_begun, self.release = threading.Event(), threading.Event()
        clients = SimpleNamespace(dynamodb=SimpleNamespace(update_item=self._update))
        self.limits = DynamoLimits(cast("Clients", clients), stack="shop")

    def _update(self, **request: Any) -> dict[str, Any]:
        self.updates.append(request)
        if len(self.updates) == 1:
            self.has_begun.set()
            assert self.release.wait(10)
        return {"Attributes": {"holders": {"M": {}}}}

    def at_once(self, ask: Callable[[int], object], combined: Combined[Any, Any, Any]) -> list[Any]:
        """Ask ten times: nine of them while the first is under way."""
        with ThreadPoolExecutor(10) as threads:
            asked = [threads.submit(ask, 0)]
            assert self.has_begun.wait(10)
            asked += [threads.submit(ask, number) for number in range(1, 10)]
            while sum(len(group.parts) for group in combined._open.values()) < 9:  # noqa: SLF001 - when all have come
                threading.Event().wait(0.001)
            self.release.set()
            return [one.result() for one in asked]


def test_ten_jobs_that_start_at_once_under_a_concurrency_limit_write_its_item_twice() -> None:
    table = Table()

    def take(number: int) -> bool:
        return table.limits.take("slots", n=10, holder=f"c{number}", until=NOON, kept_for=f"job:{number}")[0]

    assert table.at_once(take, table.limits._together.slots) == [True] * 10  # noqa: SLF001
    assert len(table.updates) == 2
    assert table.updates[1]["ExpressionAttributeValues"][":room"] == {"N": "1"}, "nine more only where one is held"


def test_ten_jobs_that_start_at_once_under_a_rate_write_its_item_twice_and_start_an_interval_apart() -> None:
    table = Table()

    def start(number: int) -> Any:
        return table.limits.next_start("rate", now=NOON, interval=SECOND, missed=None, by=str(number))

    starts = table.at_once(start, table.limits._together.starts)  # noqa: SLF001
    assert sorted(starts) == sorted([NOON, *(NOON + place * SECOND for place in range(9))])
    assert len(table.updates) == 2
