"""Ports that fail on demand, and counters, around the ones in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lanework.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.app import App
    from lanework.memory import MemoryLanes
    from lanework.model.lanes import Lane


class MemoryArchive:
    """
    Implements the `Archive` port.

    Attributes:
        objects: What was put, by key.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = body


def move_to_dead(lanes: MemoryLanes, lane: Lane, handle: str) -> None:
    """Move a message to the dead-letter queue, as SQS does with what was received too often."""
    for message in [one for one in lanes.queues[lane].messages if one.handle == handle]:
        lanes.queues[lane].messages.remove(message)
        lanes.put_dead(lane, message.body, was_moved_by_sqs=True, message_id=message.message_id)


@dataclass
class Flaky:
    """
    Stands in front of a port and refuses some of its calls.

    Attributes:
        port: What stands behind.
        broken: Calls that fail before they do anything, by name.
        mute: Calls that are done and whose answer is then lost, by name.
        mute_once: The same, of the next one of each name.
        answers: What answers in place of the port, by the call's name.
        calls: Every call so far, by name.
    """

    port: Any
    broken: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    mute_once: set[str] = field(default_factory=set)
    answers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        behind = getattr(self.port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if name in self.broken:
                raise UnavailableError(name)
            answer = self.answers.get(name, behind)(*args, **kwargs)
            if name in self.mute | self.mute_once:
                self.mute_once -= {name}
                raise UnavailableError(name)
            return answer

        return call


def break_ports(app: App) -> tuple[Flaky, Flaky]:
    """Put a `Flaky` before an application's ledger and lanes; return the two."""
    ledger, lanes = Flaky(app.ports.ledger), Flaky(app.ports.lanes)
    app.use(replace(app.ports, ledger=ledger, lanes=lanes))
    return ledger, lanes


def break_limits(app: App) -> Flaky:
    """Put a `Flaky` before an application's limits and return it."""
    limits = Flaky(app.ports.limits)
    app.use(replace(app.ports, limits=limits))
    return limits


def mend_ports(app: App) -> None:
    """Take the `Flaky`s away again."""
    ledger: Any = app.ports.ledger
    lanes: Any = app.ports.lanes
    app.use(replace(app.ports, ledger=ledger.port, lanes=lanes.port))
