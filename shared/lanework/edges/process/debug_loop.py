"""Running jobs one at a time in the thread that asks for it, as a debugger wants it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.edges.process.config import NO_WAIT
from lanework.edges.process.message_handler import Work
from lanework.edges.process.receiver import Receiver

if TYPE_CHECKING:
    from threading import Event

    from lanework.app import App
    from lanework.edges.process.config import Plan
    from lanework.engine.ports.consumer import MessageConsumer

_PAUSE: Final = timedelta(seconds=1)


def run_inline(app: App, inbox: MessageConsumer, plan: Plan, stopping: Event) -> None:
    """
    Empty lanes in this thread until `stopping` is set, or, with `is_once`, until they are empty.

    No job is interrupted, however long it takes: it may stand at a breakpoint. Its message and its lease are kept
    meanwhile.

    Raises:
        ConfigError: There is no such stack, or no permission.
    """
    faults: list[BaseException] = []

    def fail(_: str, error: BaseException) -> None:
        faults.append(error)
        stopping.set()

    work = Work(app, inbox, lease=plan.lease, failed=fail)
    receptions = [Receiver(lane, inbox, app.ports, stopping) for lane in plan.lanes]
    try:
        while not stopping.is_set():
            had_some = any(_do_one(work, one, plan) for one in receptions)
            problem = next((one.problem for one in receptions if one.problem is not None), None)
            if problem is not None:
                raise problem
            if not had_some:
                if plan.is_once:
                    return
                stopping.wait(_PAUSE.total_seconds())
        if faults:
            raise faults[0]
    finally:
        work.give_back_all()
        work.close()


def _do_one(work: Work, reception: Receiver, plan: Plan) -> bool:
    """Do the next job of a lane; tell whether there was one."""
    for message in reception.receive(limit=1, wait=NO_WAIT, hide_for=plan.hides_for):
        work.hold(reception.lane, message)
        work.do(reception.lane, message)
        return True
    return False
