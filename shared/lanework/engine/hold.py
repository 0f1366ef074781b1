"""Messages that may not start their jobs yet: paused ones, and those of code that isn't deployed yet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.delivery import Ack, Keep
from lanework.errors import UnavailableError
from lanework.model import interventions
from lanework.model.change import Applied
from lanework.model.events import Action
from lanework.model.states import State

if TYPE_CHECKING:
    from lanework.engine.delivery import Delivery, Report
    from lanework.engine.journal import Journal
    from lanework.engine.ports import Ports
    from lanework.engine.registry import JobType
    from lanework.model.envelope import Envelope
    from lanework.model.states import JobRecord

DEPLOY_GRACE: Final = timedelta(hours=1)
"""How long a job waits for its code, from when its message was sent: by then the deploy is over, or went wrong."""

LOOK_AGAIN: Final = timedelta(seconds=30)


def hold(message: Envelope, name: str, ports: Ports, journal: Journal) -> Report | None:
    """
    Park a paused job under its pause.

    Returns:
        What becomes of its message; None if the job doesn't wait, so that claiming it says what else is the matter.
    """
    try:
        answer = ports.ledger.change(message.id, interventions.hold(life=message.life, name=name, now=ports.clock()))
    except UnavailableError as error:
        journal.note(Action.CLAIM_FAILED, reason=str(error))
        return Keep(LOOK_AGAIN)
    if isinstance(answer, Applied):
        journal.note(Action.HELD, reason=name)
        return Ack()
    if not _would_start(message, answer.record):
        return None
    journal.note(Action.WAITED, reason=name, wait=LOOK_AGAIN)
    return Keep(LOOK_AGAIN)


def _would_start(message: Envelope, stored: JobRecord | None) -> bool:
    """Tell whether a message could start its job though nothing waits: a first record, the next life, a crashed run."""
    if stored is None:
        return message.unrecorded or message.ticket
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
