"""One message's way through the engine: decoded, its job taken from claim to report, its fate said."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lanework.engine.dead_letters import set_aside
from lanework.engine.delivery import Keep
from lanework.engine.execution import Execution, GaveUpError
from lanework.errors import UndecodableError
from lanework.model.envelope import Envelope

if TYPE_CHECKING:
    from lanework.engine.delivery import Delivery, Report
    from lanework.engine.ports import Guard, Ports
    from lanework.engine.registry import Registry


class Executor:
    """Runs jobs from messages."""

    def __init__(self, *, registry: Registry, ports: Ports, guard: Guard) -> None:
        """Take the job types, the ports, and the guard that takes each execution through its steps."""
        self._registry = registry
        self._ports = ports
        self._guard = guard

    def execute(self, delivery: Delivery) -> Report:
        """Run the job that a message carries, if it may run now, and say what to do with the message."""
        try:
            envelope = Envelope.decode(delivery.body)
        except UndecodableError as problem:
            return set_aside(delivery, str(problem), self._ports)
        execution = Execution(envelope, self._registry.find(envelope.type), delivery.time_left, self._ports)
        if not delivery.is_first and not execution.fits:
            return Keep(timedelta(0))
        self._guard(execution)
        return execution.report


def in_order(execution: Execution) -> None:
    """Take an execution through its steps with nobody's help: the guard where Powertools isn't."""
    if not execution.claim():
        return
    try:
        execution.run()
    except GaveUpError:
        execution.settle()
    else:
        execution.complete()
