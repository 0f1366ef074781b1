"""The table of what AWS documents: each line has a probe and a module that leans on it; memory does what it says."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from lanework.engine.ports.messages import LARGEST_MESSAGE, OutgoingMessage
from lanework.errors import UnsendableError
from lanework.local.probe import dynamodb, events, functions, mappings, sqs
from lanework.local.probe.run import probe_of
from lanework.local.probe.table import AS_AWS, behaviours
from lanework.memory import MemoryLanes
from lanework.model.lanes import Lane
from lanework.testing import Clock
from tests.support.emulators import PAGE, written

HOUR = timedelta(hours=1)
LANEWORK = Path(__file__).parents[2] / "shared" / "lanework"


def refused(send: Callable[[MemoryLanes], object]) -> str:
    try:
        send(MemoryLanes(Clock()))
    except UnsendableError:
        return AS_AWS
    return "accepted"


def sending(body: str, delay: timedelta = timedelta(0)) -> Callable[[MemoryLanes], object]:
    return lambda lanes: lanes.send(Lane.HIGH, OutgoingMessage(body=body, delay=delay))


def with_a_message(clock: Clock | None = None) -> MemoryLanes:
    lanes = MemoryLanes(clock or Clock())
    lanes.send(Lane.HIGH, OutgoingMessage(body="x"))
    return lanes


def handle_of(lanes: MemoryLanes) -> str:
    message = lanes.receive(Lane.HIGH)
    assert message is not None
    return message.handle


def partial_failure() -> str:
    lanes = MemoryLanes(Clock())
    unsent = lanes.send_many(Lane.HIGH, [OutgoingMessage(body="good"), OutgoingMessage(body="")])
    return AS_AWS if (list(unsent), lanes.counts(Lane.HIGH).waiting) == ([1], 1) else f"failed: {list(unsent)}"


def visibility() -> str:
    lanes = with_a_message()
    lanes.change_visibility(Lane.HIGH, handle_of(lanes), 13 * HOUR)
    return "accepted"


def handle_expires() -> str:
    clock = Clock()
    lanes = with_a_message(clock)
    first = handle_of(lanes)
    clock.advance(HOUR)
    return AS_AWS if handle_of(lanes) != first else "the same handle for both receives"


def deleted_twice() -> str:
    lanes = with_a_message()
    handle = handle_of(lanes)
    for _ in range(2):
        lanes.delete(Lane.HIGH, handle)
    return AS_AWS


def max_receive_count() -> str:
    clock = Clock()
    lanes = with_a_message(clock)
    for _ in range(1001):
        handle_of(lanes)
        clock.advance(HOUR)
    return AS_AWS if lanes.counts(Lane.HIGH).dead else "received for ever"


def move_task() -> str:
    lanes = MemoryLanes(Clock())
    lanes.send_to_dlq(Lane.HIGH, "ticket", cause="", error="")
    lanes.move_back(Lane.HIGH, rate=None)
    return AS_AWS if lanes.counts(Lane.HIGH).waiting else "not moved"


MEMORY: dict[str, Callable[[], str]] = {
    "sqs_delay": lambda: refused(sending("x", timedelta(seconds=901))),
    "sqs_characters": lambda: refused(sending("a\ufffeb")),
    "sqs_empty_body": lambda: refused(sending("")),
    "sqs_largest_message": lambda: AS_AWS if refused(sending("x" * LARGEST_MESSAGE)) == "accepted" else "refused",
    "sqs_message_size": lambda: refused(sending("é" * (LARGEST_MESSAGE // 2 + 1))),
    "sqs_attributes_in_size": lambda: refused(
        lambda lanes: lanes.send_to_dlq(Lane.HIGH, "x" * (LARGEST_MESSAGE - 5), cause="y", error="")
    ),
    "sqs_batch_partial_failure": partial_failure,
    "sqs_visibility": visibility,
    "sqs_handle_expires": handle_expires,
    "sqs_deleted_twice": deleted_twice,
    "sqs_max_receive_count": max_receive_count,
    "sqs_move_task": move_task,
}


@pytest.mark.parametrize("line", MEMORY)
def test_memory_does_what_the_table_says(line: str) -> None:
    assert behaviours()[line].memory == MEMORY[line]()


def test_every_line_that_says_something_of_memory_is_shown_here() -> None:
    assert [one.id for one in behaviours().values() if one.memory is not None] == list(MEMORY)


def test_every_line_has_a_probe_a_page_of_aws_and_a_module_that_leans_on_it() -> None:
    for one in behaviours().values():
        assert callable(probe_of(one.id))
        assert one.page.startswith(("https://docs.aws.amazon.com/", "https://aws.amazon.com/")), one.id
        assert (LANEWORK / one.used_by).is_file(), one.id


def test_every_probe_has_a_line() -> None:
    probes = {
        name
        for module in (dynamodb, events, functions, mappings, sqs)
        for name, one in vars(module).items()
        if inspect.isfunction(one)
        and not name.startswith(("_", "make_", "shared_"))
        and one.__module__ == module.__name__
        and list(inspect.signature(one).parameters) == ["lab"]
    }

    assert probes == set(behaviours())


def test_the_page_shows_the_table() -> None:
    assert PAGE.read_text() == written(PAGE.read_text())
