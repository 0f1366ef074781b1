"""What a run holds: its job's lease, and slots of limits. Extended by its own process, or by another one for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from lanework.engine.execution.claim import LEASE_MARGIN
from lanework.model.events import Action
from lanework.model.lifecycle import park_moves, run_moves
from lanework.model.lifecycle.change import Applied

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.limits.acquire import Admission
    from lanework.engine.messaging.message_events import MessageEvents
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLease:
    """What a process must know of a run to extend what it holds; `slots`: the limits that it holds a slot of."""

    job_id: str
    claim_id: str
    slots: tuple[str, ...]
    timeout: timedelta


def extend_lease(lease: RunLease, *, until: datetime, ports: Ports) -> JobRecord | None:
    """Extend a run's lease, and that of its slots; what comes late shortens nothing. None if it has lost the job."""
    stored = ports.ledger.change(lease.job_id, run_moves.beat(claim_id=lease.claim_id, until=until)).record
    if stored is None or not run_moves.is_held_by(stored, lease.claim_id):
        return None
    for name in lease.slots:
        ports.limits.extend(name, lease.claim_id, until=until)
    return stored


def unclaim_for(lease: RunLease, ports: Ports) -> bool:
    """
    Give a job back whose process has died before its code was begun, without an attempt used (rule 18 is kept by that).

    Returns:
        Whether its message may come back at once: also where its claim had not landed.
    """
    stored = ports.ledger.get(lease.job_id)
    if stored is None or not run_moves.is_held_by(stored, lease.claim_id):
        return True
    return isinstance(ports.ledger.change(lease.job_id, park_moves.unclaim(stored)), Applied)


def requeue(
    run: JobRecord, admission: Admission, ports: Ports, events: MessageEvents, *, ends_within: timedelta | None
) -> timedelta | None:
    """
    Put a job back whose worker is about to stop, without an attempt used; return after how long it may begin again.

    None if that didn't land: it has ended meanwhile, or its lease decides. `ends_within`: by when its code certainly
    doesn't run any more, because the process is killed then; None if it was never begun, or has ended. Neither the job
    nor its limits' slots may be had before (rule 18).
    """
    now = ports.clock()
    wait = timedelta(0) if ends_within is None else ends_within + LEASE_MARGIN
    answer = ports.ledger.change(run.job_id, park_moves.requeue(run, due_at=now + wait))
    if not isinstance(answer, Applied):
        return None
    events.run(Action.RUN_REQUEUED, answer.record)
    if ends_within is None:
        admission.give_back(run)
    else:
        admission.hold_until(run, now + wait)
    return wait
