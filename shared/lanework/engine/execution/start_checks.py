"""Whether a message may start its job here and now: not paused, not for workers only, its code deployed, time left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.messaging.delivery import Ack, Nack
from lanework.errors import UnavailableError
from lanework.model.events import Action
from lanework.model.job.payload import is_apart
from lanework.model.lanes import LANES, LONGEST_IN_LAMBDA
from lanework.model.lifecycle import claim_moves, operator_moves, run_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import WAITING, State
from lanework.model.retry.wait import Backoff

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.execution.pause_watch import PauseWatch
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.messaging.delivery import Delivery, Report
    from lanework.engine.messaging.message_events import MessageEvents
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.envelope import Envelope
    from lanework.model.lifecycle.states import JobRecord

DEPLOY_GRACE: Final = timedelta(hours=1)
"""How long a job waits for its code, from when its message was sent: by then the deploy is over, or went wrong."""

LOOK_AGAIN: Final = timedelta(seconds=30)

OFFER_AGAIN: Final = timedelta(minutes=5)
"""After how long a lane is handed again what Lambda can't run: a worker process may empty it by then."""


ROOM_TO_WRITE: Final = timedelta(seconds=2)
"""What must be left of an invocation beyond a job's timeout for the job to be begun in it."""

UNANSWERED: Final = Backoff(base=timedelta(seconds=5), ceiling=timedelta(minutes=10))
"""A ledger that doesn't answer is asked again after growing waits; no attempt is used."""


def not_now(
    message: Envelope,
    delivery: Delivery,
    job_type: JobType | None,
    pauses: PauseWatch,
    ports: Ports,
    events: MessageEvents,
) -> Report | None:
    """Return what becomes of a message whose job may not start here or now; None if it may."""
    try:
        pause = pauses.holding(message)
    except UnavailableError as error:
        wait = UNANSWERED.wait_after(delivery.receives, rand=ports.rand)
        events.note(Action.RUN_CLAIM_FAILED, reason=f"what is paused: {error}", wait=wait)
        return Nack(wait)
    is_long = message.timeout is not None and message.timeout > LONGEST_IN_LAMBDA
    if pause is not None:
        report = _park_paused(message, pause, ports, events)
    elif delivery.lease is None and (is_long or (job_type is not None and job_type.options.where == "worker")):
        report = _leave_to_workers(delivery, message, ports, events)
    elif job_type is None or message.version > job_type.version:
        report = _wait_for_code(delivery, message, job_type, ports, events)
    else:
        report = None
    asked = message.timeout or LANES[message.lane].usual_job
    if report is None and not delivery.is_first and delivery.time_left < asked + ROOM_TO_WRITE:
        return Nack(timedelta(0))  # a later invocation has more time left
    return report


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


def _park_paused(message: Envelope, name: str, ports: Ports, events: MessageEvents) -> Report | None:
    """Park a paused job under its pause; None if it doesn't wait, so that claiming it says what else is the matter."""
    now = ports.clock()
    try:
        if message.unrecorded and ports.ledger.put(operator_moves.held_record(message, name=name, now=now)) is None:
            events.note(Action.JOB_HELD, reason=name)
            return Ack()
        change = operator_moves.hold(life=message.life, name=name, now=now)
        answer = ports.ledger.change(message.id, claim_moves.asked_by(message, change))
        if isinstance(answer, Applied):
            keep_payload(message, answer.record, ports)
    except UnavailableError as error:
        events.note(Action.RUN_CLAIM_FAILED, reason=str(error))
        return Nack(LOOK_AGAIN)
    if isinstance(answer, Applied):
        events.note(Action.JOB_HELD, reason=name)
        return Ack()
    if not _would_start(message, answer.record):
        return None
    events.note(Action.MESSAGE_DEFERRED, reason=name, wait=LOOK_AGAIN)
    return Nack(LOOK_AGAIN)


def _would_start(message: Envelope, stored: JobRecord | None) -> bool:
    """Tell whether a message could start its job though nothing waits: by a ticket, or after a crash."""
    if stored is None:
        return message.may_make_a_record
    if stored.state is State.DEAD:
        return message.ticket and message.life == stored.life + 1
    return stored.state is State.RUNNING and message.life == stored.life


def _wait_for_code(
    delivery: Delivery, message: Envelope, job_type: JobType | None, ports: Ports, events: MessageEvents
) -> Report | None:
    """Let a message come back that may be meant for the next deploy's code; None if it has waited long enough."""
    if job_type is None:
        reason = f"no code for job type {message.type!r} is deployed"
    else:
        reason = f"version {message.version} of {message.type} is not deployed, version {job_type.version} is"
    since = delivery.sent_at or message.asked_start
    if ports.clock() - since >= DEPLOY_GRACE:
        return None
    events.note(Action.MESSAGE_DEFERRED, reason=reason, wait=LOOK_AGAIN)
    return Nack(LOOK_AGAIN)


def _leave_to_workers(delivery: Delivery, message: Envelope, ports: Ports, events: MessageEvents) -> Report:
    """Put a job back that Lambda got and only a worker process may run; no attempt is used, no receive piles up."""
    lane = delivery.lane
    events.note(
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
        events.note(Action.RUN_CLAIM_FAILED, reason=str(error))
    return Nack(OFFER_AGAIN)


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
