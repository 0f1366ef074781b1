"""What a stack is made of, as far as rules look at it: the same values, read from a template or from a live stack."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from lanework.doctor.resources import callee
from lanework.model.lanes import ALL_LANES, Lane, lanes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lanework.doctor.network import Subnet
    from lanework.doctor.resources import (
        Alarm,
        Alias,
        Dashboard,
        Feed,
        Function,
        Key,
        LogGroup,
        Queue,
        Role,
        Shift,
        Table,
        Timer,
        Topic,
    )
    from lanework.doctor.template_api import PrivateApi, Route
    from lanework.doctor.template_senders import Sender

_LANES: Final = "LANEWORK_LANES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """
    A stack.

    Attributes:
        stack: Its name.
        concurrency: Executions that the account allows at once here; a template is read against AWS's default.
        subnets: Those that functions are in, by id, as far as they can be looked at; they needn't be the stack's.
        keys: Those that things are encrypted with, by ARN, as far as they can be looked at; likewise.
        routes, private_apis, shifts, senders: Those of a template, by id; a live stack's aren't looked at.
    """

    stack: str
    region: str
    account: str
    concurrency: int
    queues: tuple[Queue, ...] = ()
    functions: tuple[Function, ...] = ()
    feeds: tuple[Feed, ...] = ()
    tables: tuple[Table, ...] = ()
    log_groups: tuple[LogGroup, ...] = ()
    timers: tuple[Timer, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    topics: tuple[Topic, ...] = ()
    roles: tuple[Role, ...] = ()
    aliases: tuple[Alias, ...] = ()
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    private_apis: Mapping[str, PrivateApi] = field(default_factory=dict)
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    senders: Mapping[str, Sender] = field(default_factory=dict)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes that its functions know of, the most urgent first; all five where they don't say."""
        named = next((one.variables[_LANES] for one in self.functions if one.variables.get(_LANES)), None)
        return ALL_LANES if named is None else lanes_of(named.split(","))

    def queue_of(self, lane: Lane) -> Queue | None:
        """Return a lane's queue."""
        return self._queue(f"{self.stack}-{lane}")

    def dead_letters_of(self, lane: Lane) -> Queue | None:
        """Return a lane's dead-letter queue."""
        return self._queue(f"{self.stack}-{lane}-dlq")

    def pairs(self) -> Iterator[tuple[Queue, Queue]]:
        """Yield each lane's queue with its dead-letter queue, where both are there."""
        for lane in Lane:
            queue, dead = self.queue_of(lane), self.dead_letters_of(lane)
            if queue is not None and dead is not None:
                yield queue, dead

    def feed_of(self, lane: Lane) -> Feed | None:
        """Return what hands a lane's messages over."""
        queue = self.queue_of(lane)
        return next((one for one in self.feeds if queue is not None and one.queue == queue.arn), None)

    def worker_of(self, lane: Lane) -> Function | None:
        """Return the function that a lane's messages are handed to."""
        feed = self.feed_of(lane)
        return None if feed is None else self.function(feed.function)

    def function(self, name: str) -> Function | None:
        """Return a function by its name."""
        return next((one for one in self.functions if one.name == name), None)

    @property
    def tick(self) -> Timer | None:
        """What wakes the clock each minute."""
        return next((one for one in self.timers if one.name == f"{self.stack}-tick"), None)

    @property
    def events(self) -> Function | None:
        """The function behind the table's stream."""
        return self.function(f"{self.stack}-events")

    @property
    def clock(self) -> Function | None:
        """The clock function."""
        tick = self.tick
        return None if tick is None else self.function(callee(tick.target)[0])

    def everything(self) -> Iterator[tuple[str, Any]]:
        """Yield each thing with its id."""
        for one_field in fields(self):
            value = getattr(self, one_field.name)
            if isinstance(value, tuple):
                yield from ((one.id, one) for one in value)

    def _queue(self, name: str) -> Queue | None:
        return next((one for one in self.queues if one.name == name), None)
