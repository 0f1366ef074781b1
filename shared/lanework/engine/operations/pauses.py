"""Pausing and resuming lanes, queues and job types."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypedDict, cast

from lanework.engine.messaging.resend import readable
from lanework.errors import InvalidOptionError, UnknownNameError
from lanework.model.events import Action
from lanework.model.job.ids import SHARDS
from lanework.model.lanes import lane_of
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lanes import Lane, LaneName

FORGOTTEN_AFTER: Final = timedelta(minutes=20)
"""Longer than any invocation lasts that began with flags from before a resume, and may park jobs until its end."""

_PAGE: Final = 100


class PauseTarget(TypedDict, total=False):
    """What a pause holds: exactly one of a lane, a queue and a job type."""

    lane: LaneName | Lane | None
    queue: str | None
    job_type: str | None


def flag_of(
    *,
    lane: str | int | None = None,
    queue: str | None = None,
    job_type: str | None = None,
    registry: Registry | None,
    ports: Ports,
) -> str:
    """
    Return the name of what is to be paused or resumed.

    Raises:
        InvalidOptionError: Not exactly one is given.
        UnknownNameError: The registry, where the application's code is at hand, knows no such queue or type.
        LaneLeftOutError: The stack has no such lane; nor was it paused while it had one.
    """
    given = [one for one in (lane, queue, job_type) if one is not None]
    if len(given) != 1:
        msg = "name one lane, one queue or one job type"
        raise InvalidOptionError(msg)
    if lane is not None:
        name = f"lane:{lane_of(lane)}"
        if lane_of(lane) not in ports.stack_lanes and name not in ports.flags.read().paused:
            ports.check_lane(lane_of(lane))
        return name
    if queue is not None:
        if registry is not None and registry.queues and queue not in registry.queues:
            raise UnknownNameError("queue", queue, registry.queues)
        return f"queue:{queue}"
    if registry is not None and registry.types:
        registry.get(cast("str", job_type))
    return f"type:{job_type}"


def resume(name: str, ports: Ports, *, within: timedelta | None = None) -> int:
    """
    Take a pause away and move what it held back to the sweep; return how many jobs that were.

    The minute's tick goes on from where it has come `within` that time. None: until none is left.
    """
    now = ports.clock()
    ports.flags.set_bookmark(_resumed(name), now.isoformat())
    ports.flags.resume(name)
    return release(name, ports, has_time=lambda: within is None or ports.clock() < now + within)


def may_forget(name: str, ports: Ports) -> bool:
    """Tell whether a pause is over for so long that no worker can still park jobs under it."""
    since = ports.flags.bookmark(_resumed(name))
    return since is not None and ports.clock() - datetime.fromisoformat(since) > FORGOTTEN_AFTER


def release(name: str, ports: Ports, *, has_time: Callable[[], bool] = lambda: True) -> int:
    """Move jobs that a pause held to the sweep, until none is left or there is no time; return how many."""
    moved = 0
    for shard in range(SHARDS):
        while has_time() and (ids := ports.ledger.held(name, shard, limit=_PAGE)):
            before = moved
            for job_id in ids:
                answer = ports.ledger.change(job_id, operator_moves.release(name, now=ports.clock()))
                if answer.record is not None:
                    moved += not readable([answer.record], ports)
                if isinstance(answer, Applied):
                    moved += 1
                    ports.emit(Action.JOB_RELEASED, answer.record, reason=name)
            if moved == before:  # the index lags behind the items; the next tick looks again
                break
    return moved


def _resumed(name: str) -> str:
    return f"resumed {name}"
