"""
The process that stays of `lanework worker`, as the parent of those that run jobs.

It loads the standard library, and of Lanework what looks after processes: no library, no application.
"""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Final

from lanework.edges.process.lease_keeper import LeaseKeeper
from lanework.edges.process.signals import SignalWatch
from lanework.edges.process.supervisor import Parent
from lanework.errors import LaneworkError

if TYPE_CHECKING:
    from lanework.edges.process.config import Address, Plan
    from lanework.edges.process.log_lines import LogLines
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.consumer import MessageConsumer

_CHILD: Final = "lanework.edges.process.application_child:work"


def supervise(plan: Plan, processes: int, health: Address | None, lines: LogLines) -> None:
    """
    Keep worker processes up until SIGTERM or Ctrl-C; with what can't be worked with, end with 1 and a line on stderr.

    Args:
        plan: What each of them does.
        processes: How many.
        health: Where the health endpoint is, if there is to be one.
        lines: Gets what happens to a process.
    """
    keeper = LeaseKeeper(_reach, lease=plan.lease)
    parent = Parent(_CHILD, plan, plan=plan, processes=processes, keeper=keeper, say=lines.write)
    try:
        with ExitStack() as undo:
            signals = undo.enter_context(closing(SignalWatch(signal.SIGTERM, signal.SIGINT)))
            signals.heed({signal.SIGTERM: parent.stop, signal.SIGINT: parent.stop})
            if health is not None:
                from lanework.edges.process.health import serve_health  # noqa: PLC0415 - for who asks for it

                port = undo.enter_context(serve_health(parent, health))
                _say(f"health at http://{health.host}:{port}/health")
            where = "" if processes == 1 else f" in each of {processes} processes"
            _say(f"emptying {', '.join(plan.lanes)}: {plan.slots} at once{where}")
            parent.run()
    except LaneworkError as error:
        sys.exit(f"lanework: {error}")


def _reach() -> tuple[Ports, MessageConsumer]:
    """Connect to the stack from here, to keep jobs alive whose process can't: from then on, this process is large."""
    from lanework.observe.logs import LogSink, json_logger  # noqa: PLC0415 - what it is to do without else
    from lanework.settings import Settings  # noqa: PLC0415 - as above
    from lanework.wiring import aws_inbox, aws_ports  # noqa: PLC0415 - as above

    settings = Settings.from_env()
    return aws_ports(settings), aws_inbox(settings, emit=LogSink(json_logger()).emit)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
