"""What is said to SQS in which call: ten deletes or visibility changes at a time, none of them late."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from queue import Queue
from typing import TYPE_CHECKING, cast

import pytest

from lanework.edges.process.ack_batcher import BATCH, AckBatcher
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lanework.engine.ports.consumer import MessageConsumer

LONG = timedelta(minutes=1)
AT_ONCE = timedelta(0)


@dataclass(slots=True)
class Said:
    """The calls, in their order."""

    calls: Queue[tuple[str, Lane, list[str]]] = field(default_factory=Queue)

    def hide(self, lane: Lane, handles: Mapping[str, timedelta]) -> None:
        self.calls.put(("hide", lane, list(handles)))

    def delete(self, lane: Lane, handles: Sequence[str]) -> None:
        self.calls.put(("delete", lane, list(handles)))

    def next(self) -> tuple[str, Lane, list[str]]:
        return self.calls.get(timeout=30)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def outbox(said: Said) -> Iterator[AckBatcher]:
    """Nothing is said but for a reason: the first waits for hours."""
    box = AckBatcher(cast("MessageConsumer", said), together_s=3600.0)
    yield box
    box.close()


def names(count: int, *, start: int = 0) -> list[str]:
    return [f"handle-{number}" for number in range(start, start + count)]


def test_ten_fill_a_call_and_the_others_wait_for_more(outbox: AckBatcher, said: Said) -> None:
    for name in names(13):
        outbox.delete(Lane.LOW, name)
    assert said.next() == ("delete", Lane.LOW, names(BATCH))

    for name in names(7, start=13):
        outbox.delete(Lane.LOW, name)

    assert said.next() == ("delete", Lane.LOW, names(BATCH, start=10))


def test_what_is_to_be_seen_at_once_waits_for_nobody(outbox: AckBatcher, said: Said) -> None:
    outbox.delete(Lane.LOW, "done")
    outbox.hide(Lane.HIGH, "later", LONG)

    outbox.hide(Lane.LOW, "now", AT_ONCE)

    assert [said.next(), said.next()] == [("hide", Lane.HIGH, ["later"]), ("hide", Lane.LOW, ["now"])]
    outbox.close()
    assert said.next() == ("delete", Lane.LOW, ["done"])


def test_what_comes_alone_is_said_after_a_moment() -> None:
    said = Said()
    outbox = AckBatcher(cast("MessageConsumer", said), together_s=0.01)
    outbox.delete(Lane.LOW, "first")

    assert said.next() == ("delete", Lane.LOW, ["first"])

    outbox.hide(Lane.LOW, "second", LONG)
    assert said.next() == ("hide", Lane.LOW, ["second"])
    outbox.close()


def test_what_is_left_is_said_at_the_end(outbox: AckBatcher, said: Said) -> None:
    outbox.delete(Lane.LOW, "one")
    outbox.hide(Lane.HIGH, "two", LONG)

    outbox.close()

    assert [said.next(), said.next()] == [("delete", Lane.LOW, ["one"]), ("hide", Lane.HIGH, ["two"])]


def test_a_busy_lane_keeps_nothing_of_another_back() -> None:
    said = Said()
    outbox = AckBatcher(cast("MessageConsumer", said), together_s=0.01)
    outbox.hide(Lane.HIGH, "beat", LONG)
    outbox.delete(Lane.HIGH, "done")
    waiting = {("hide", Lane.HIGH), ("delete", Lane.HIGH)}

    for number in range(100_000):
        for name in names(BATCH, start=number * BATCH):
            outbox.delete(Lane.LOW, name)
        kind, lane, _ = said.next()
        waiting.discard((kind, lane))
        if not waiting:
            break

    assert not waiting
    outbox.close()
