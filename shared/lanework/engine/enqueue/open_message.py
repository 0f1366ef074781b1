"""
Receiving an open message: it is enqueued as its job type declares it, then its own message is deleted.

The job goes to its lane by a message of ours, which carries the nonce of its record (docs/decisions/0035). What is
refused is copied to the dead-letter queue with the reason, and can be sent again from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic_core import to_json

from lanework.engine.enqueue.enqueuer import Enqueuer
from lanework.engine.jobtypes.middleware import enqueue_through
from lanework.engine.jobtypes.request import request_of
from lanework.engine.messaging.delivery import Ack, Nack
from lanework.errors import (
    EnqueueError,
    InvalidOptionError,
    InvalidPayloadError,
    JobIdTakenError,
    LaneLeftOutError,
    QuotaExceededError,
    TooLargeError,
    UnavailableError,
    UndecodableError,
    UnknownJobTypeError,
)
from lanework.model.events import Action, Event
from lanework.model.job.ids import OURS
from lanework.model.job.open_message import OpenMessage, with_id
from lanework.model.retry.wait import Backoff

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.middleware import Middleware
    from lanework.engine.jobtypes.options import EnqueueOptions
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.messaging.delivery import Delivery, Report
    from lanework.engine.ports.bundle import Ports

REFUSALS: Final = (
    InvalidOptionError,
    InvalidPayloadError,
    JobIdTakenError,
    LaneLeftOutError,
    QuotaExceededError,
    TooLargeError,
    UnknownJobTypeError,
)
"""What an enqueue refuses for what was asked for: it would be refused again."""

_AGAIN: Final = Backoff()


def receive_open(
    delivery: Delivery, problem: UndecodableError, *, registry: Registry, ports: Ports, middleware: Sequence[Middleware]
) -> Report:
    """
    Enqueue the job of a message that isn't one of ours, and say what becomes of the message.

    Args:
        delivery: The message.
        problem: Why it isn't one of ours; what is no open message either is set aside with it.
        registry: The job types.
        ports: Where it is recorded and sent.
        middleware: What the application has around its enqueues.
    """
    try:
        message = OpenMessage.decode(delivery.body)
        if message is None:
            return _refused(delivery, str(problem), ports)
        request = _request(message, registry, message_id=delivery.message_id)
        enqueue_through(middleware, [request], Enqueuer(ports).enqueue_many)
    except UndecodableError as refusal:
        return _refused(delivery, str(refusal), ports)
    except REFUSALS as refusal:
        return _refused(delivery, f"open message refused: {refusal}", ports)
    except (EnqueueError, UnavailableError) as error:
        if isinstance(error, EnqueueError) and error.is_final:
            return _refused(delivery, f"open message refused: {error}", ports)
        event = Event(action=Action.MESSAGE_NOT_HANDLED, at=ports.clock(), lane=delivery.lane, reason=str(error))
        ports.events.emit(event)
        return Nack(_AGAIN.wait_after(delivery.receives, rand=ports.rand))
    return Ack()


def _refused(delivery: Delivery, reason: str, ports: Ports) -> Report:
    from lanework.engine.dlq_messages.tickets import quarantine  # noqa: PLC0415 - for what is refused

    return quarantine(replace(delivery, body=with_id(delivery.body, delivery.message_id)), reason, ports)


def _request(message: OpenMessage, registry: Registry, *, message_id: str | None) -> Request:
    job_type = registry.get(message.type)
    _check_type(job_type, message)
    said: EnqueueOptions = {"run_at": message.run_at, "tenant": message.tenant}
    if message.id is not None or job_type.debounce is None:  # a debounced job has an id of its own
        said["job_id"] = message.id or message_id
    # As JSON text, so that a strict model takes a date or an id from it.
    text = job_type.current(to_json(message.payload).decode(), message.version or job_type.version)
    request = request_of(job_type, text, said)
    return request.with_headers(message.headers)


def _check_type(job_type: JobType, message: OpenMessage) -> None:
    if job_type.name.startswith(OURS):
        msg = f"type: {job_type.name} is one of Lanework's own"
        raise InvalidOptionError(msg)
    if not job_type.api:
        msg = f"type: {job_type.name} is left to the application's own code (api=False)"
        raise InvalidOptionError(msg)
    if message.version is not None and message.version > job_type.version:
        msg = (
            f"version: version {message.version} of {job_type.name} is not deployed, version {job_type.version} is; "
            "deploy the code that reads it, then send the message again"
        )
        raise InvalidOptionError(msg)
