"""Messages that may not start their jobs here or now: paused, of code that isn't deployed yet, for worker processes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.messaging.delivery import Ack, Keep
from lanework.errors import UnavailableError
from lanework.model.events import Action
from lanework.model.job.payload import is_apart
from lanework.model.lanes import LONGEST_IN_LAMBDA
from lanework.model.lifecycle import operator_moves, run_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import WAITING, State

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.messaging.delivery import Delivery, Report
    from lanework.engine.messaging.message_events import Journal
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.envelope import Envelope
    from lanework.model.lifecycle.states import JobRecord

DEPLOY_GRACE: Final = timedelta(hours=1)
"""How long a job waits for its code, from when its message was sent: by then the deploy is over, or went wrong."""

LOOK_AGAIN: Final = timedelta(seconds=30)

OFFER_AGAIN: Final = timedelta(minutes=5)
"""After how long a lane is handed again what Lambda can't run: a worker process may empty it by then."""


def keep_payload(message: Envelope, record: JobRecord, ports: Ports) -> None:
    """
    See that a payload lies beside its job before a message goes that may be the last to hold it (rule 16).

    Raises:
        UnavailableError: Whether it does is not known: keep the message.
    """
    is_beside = record.payload is None and is_apart(message.payload)
    is_its_own = message.speaks_for(record) and record.life == message.life and record.superseded_at is None
    if is_beside and is_its_own:
        ports.ledger.put_back(record.job_id, message.payload)


def hold(message: Envelope, name: str, ports: Ports, journal: Journal) -> Report | None:
    """
    Park a paused job under its pause.

    Returns:
        What becomes of its message; None if the job doesn't wait, so that claiming it says what else is the matter.
    """
    try:
        change = operator_moves.hold(life=message.life, name=name, now=ports.clock())
        answer = ports.ledger.change(message.id, run_moves.asked_by(message, change))
        if isinstance(answer, Applied):
            keep_payload(message, answer.record, ports)
    except UnavailableError as error:
        journal.note(Action.RUN_CLAIM_FAILED, reason=str(error))
        return Keep(LOOK_AGAIN)
    if isinstance(answer, Applied):
        journal.note(Action.JOB_HELD, reason=name)
        return Ack()
    if not _would_start(message, answer.record):
        return None
    journal.note(Action.MESSAGE_DEFERRED, reason=name, wait=LOOK_AGAIN)
    return Keep(LOOK_AGAIN)


def _would_start(message: Envelope, stored: JobRecord | None) -> bool:
    """Tell whether a message could start its job though nothing waits: a first record, the next life, a crashed run."""
    if stored is None:
        return message.may_make_a_record
    if stored.state is State.DEAD:
        return message.ticket and message.life == stored.life + 1
    return stored.state is State.RUNNING and message.life == stored.life


def wait_for_code(delivery: Delivery, message: Envelope, job_type: JobType | None, ports: Ports) -> str | None:
    """Return why the deployed code can't run a job that may be meant for the next deploy, or None if it can or must."""
    if job_type is None:
        reason = f"no code for job type {message.type!r} is deployed"
    elif message.version > job_type.version:
        reason = f"version {message.version} of {message.type} is not deployed, version {job_type.version} is"
    else:
        return None
    since = delivery.sent_at or message.asked_start
    return reason if ports.clock() - since < DEPLOY_GRACE else None


def wait_for_worker(
    delivery: Delivery, message: Envelope, job_type: JobType | None, ports: Ports, journal: Journal
) -> Report | None:
    """
    Put a job back that Lambda got and only a worker process may run; no attempt is used, and no receive piles up.

    Returns:
        What becomes of its message; None if it may run here.
    """
    is_long = message.timeout is not None and message.timeout > LONGEST_IN_LAMBDA
    is_for_workers = is_long or (job_type is not None and job_type.options.where == "worker")
    if delivery.lease is not None or not is_for_workers:
        return None
    lane = delivery.lane
    journal.note(
        Action.JOB_NEEDS_WORKER,
        reason=f"only a worker process may run {message.type}, and Lambda was handed it: deploy the stack with "
        f"{lane.capitalize()}RunsOn=worker, and run `lanework worker --lane {lane}`",
        wait=OFFER_AGAIN,
    )
    try:
        stored = ports.ledger.get(message.id)
        is_waiting = message.unrecorded if stored is None else stored.state in WAITING
        if is_waiting and leave_to_sweep(message, stored, at=ports.clock() + OFFER_AGAIN, ports=ports):
            return Ack()
    except UnavailableError as error:
        journal.note(Action.RUN_CLAIM_FAILED, reason=str(error))
    return Keep(OFFER_AGAIN)


def leave_to_sweep(message: Envelope, stored: JobRecord | None, *, at: datetime, ports: Ports) -> bool:
    """See that the sweep sends a job that waits; its queue may drop the message before that (rule 3)."""
    if stored is None:
        record = run_moves.new_record(message)
        return ports.ledger.put(replace(record, state=State.SCHEDULED, sweep_at=at)) is None
    keep_payload(message, stored, ports)
    if stored.sweep_at is not None and stored.sweep_at <= at:
        return True
    is_new = stored.sweep_at is None
    entry = operator_moves.enter(stored, at=at) if is_new else operator_moves.push_on(stored, to=at)
    return isinstance(ports.ledger.change(stored.job_id, entry), Applied)
