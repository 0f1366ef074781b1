"""
Webhooks for completions and deaths: each is enqueued as a built-in job.

The end is recorded first, then its webhook is enqueued, and only then the message is deleted. So if the message is
delivered again, the webhook is enqueued again under the same id: at least once, without a further write
(docs/decisions/0020). A job that dies without a message leaves an index entry instead, which is removed once the
webhook is enqueued.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, model_validator

from lanework.engine.enqueue.enqueuer import Enqueuer
from lanework.engine.enqueue.reserved_ids import enqueue_reserved
from lanework.engine.jobtypes.request import builtin_request
from lanework.engine.messaging.delivery import Ack, Nack
from lanework.engine.messaging.message_events import Apart
from lanework.engine.messaging.resend import readable
from lanework.errors import EnqueueError, InvalidOptionError, JobIdTakenError, JobNotFoundError, UnavailableError
from lanework.model.events import Action
from lanework.model.job.headers import CORRELATION, correlation_of, inherited
from lanework.model.job.ids import QUEUE_OF_OURS, SHARDS
from lanework.model.lanes import QUEUE_RETENTION
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.dependency_moves import NOTIFICATION_PENDING, notified
from lanework.model.lifecycle.states import JobRecord, State
from lanework.model.webhooks import checked_webhook, host_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.messaging.delivery import Report
    from lanework.engine.messaging.message_events import MessageEvents
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.envelope import Envelope

_NOTIFIED: Final = frozenset({State.COMPLETED, State.DEAD})

ABOUT: Final = "about-job"
"""Header of a delivery: the job that it is about."""

_PAGE: Final = 100

NOTIFIED_AGAIN_AFTER: Final = timedelta(seconds=10)
"""After how long a message comes back whose job's webhook could not be enqueued."""


class WebhookPayload(BaseModel):
    """Payload of `lanework.webhook`; `host` is the address's, whatever is given: what deliveries are limited by."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    url: str
    event_id: str
    body: str
    host: str = ""

    @model_validator(mode="before")
    @classmethod
    def _name_host(cls, given: Any) -> Any:  # noqa: ANN401 - whatever is to be validated
        return {**given, "host": host_of(str(given.get("url", "")))} if isinstance(given, dict) else given


class WebhookNotifier:
    """Sends webhooks."""

    def __init__(self, ports: Ports, webhook: JobType) -> None:
        """Take the ports, and the type of the job that delivers a webhook."""
        self._ports = ports
        self._webhook = webhook

    def notify(self, record: JobRecord) -> None:
        """Notify of a job's completion or death, if it is one; repeatable. UnavailableError: it was not enqueued."""
        if record.queue == QUEUE_OF_OURS or record.state not in _NOTIFIED or record.retired:
            return
        url = self._ports.webhooks.address_of(record)
        if url is not None:
            try:
                self.send(record, url)
            except (EnqueueError, JobIdTakenError) as error:
                raise UnavailableError(str(error)) from error

    def send(self, record: JobRecord, url: str, *, again: str = "") -> Receipt[Any]:
        """Enqueue the delivery of a webhook: once for an end and an address, or once more for each word `again`."""
        from lanework.model.job.job_event_document import notice_of_end  # noqa: PLC0415 - a model to build, where nobody may listen

        notice = notice_of_end(record, stack=self._ports.webhooks.stack)
        payload = WebhookPayload(url=url, event_id=notice.id, body=notice.written())
        digest = sha256(f"{notice.id} {url} {again}".encode()).hexdigest()[:32]
        correlation_id = correlation_of(record.headers) or record.job_id
        headers = inherited(((ABOUT, record.job_id),), {CORRELATION: correlation_id})
        request = replace(builtin_request(self._webhook, payload, f"webhook-{digest}"), headers=headers)
        since = record.ended_at or record.created_at
        return enqueue_reserved(request, Enqueuer(self._ports).enqueue, self._ports, since=since)

    def redeliver(self, job_id: str, *, url: str | None = None) -> Receipt[Any]:
        """
        Send the webhook of a job's end once more: a further delivery, of the same event.

        Args:
            job_id: The job, completed or dead.
            url: Another address than the job's.

        Raises:
            JobNotFoundError: There is none.
            InvalidOptionError: It hasn't ended so, or there is no address to send it to.
            EnqueueError: It was not enqueued.
        """
        record = self._ports.ledger.get(job_id)
        if record is None or record.retired or record.is_expired(self._ports.clock()):
            raise JobNotFoundError(job_id)
        if record.state not in _NOTIFIED:
            msg = f"job {job_id!r} is {record.state}: webhooks are sent for completions and deaths"
            raise InvalidOptionError(msg)
        address = self._ports.webhooks.address_of(record) if url is None else checked_webhook(url)
        if address is None:
            msg = f"job {job_id!r} has no webhook: give its address"
            raise InvalidOptionError(msg)
        return self.send(record, address, again=self._ports.new_id())


def notify_of_end(record: JobRecord, ports: Ports, events: MessageEvents) -> Report:
    """Notify of a job's end, and say what becomes of its message: it stays until that is done."""
    try:
        ports.notify(record)
    except UnavailableError as error:
        events.note(Action.RUN_WRITE_FAILED, reason=f"sending its webhook: {error}", wait=NOTIFIED_AGAIN_AFTER)
        return Nack(NOTIFIED_AGAIN_AFTER)
    return Ack()


def end_with_ticket(message: Envelope, record: JobRecord, ports: Ports, events: MessageEvents) -> Report:
    """Put a dead job's ticket into its lane's DLQ, then notify of its death; the message stays until both are done."""
    from lanework.engine.dlq_messages.tickets import send_ticket  # noqa: PLC0415 - for deaths alone

    report = send_ticket(message, record, ports, events)
    return notify_of_end(record, ports, events) if isinstance(report, Ack) else report


def notify_of_death(record: JobRecord, ports: Ports) -> None:
    """
    Notify of a death before a redrive or a drop replaces it: its webhook may not have been enqueued.

    A death that is older than the retention of its delivery's record is skipped: it could only be sent twice.
    """
    if record.ended_at is not None and ports.clock() - record.ended_at < QUEUE_RETENTION:
        ports.notify(record)


def notify_pending(ports: Ports, *, has_time: Callable[[], bool] = lambda: True) -> int:
    """
    Notify of deaths that no message brings back, where whoever made them was stopped before he did; return how many.

    Raises:
        LaneworkError: Some were not enqueued; the others were. The next tick tries them again.
    """
    done = 0
    apart = Apart(ports)
    for shard in range(SHARDS):
        ids = ports.ledger.held(NOTIFICATION_PENDING, shard, limit=_PAGE, until=ports.clock()) if has_time() else []
        for record in readable(ports.ledger.get_many(ids).values(), ports) if ids else ():
            if record.held_by != NOTIFICATION_PENDING:
                continue
            with apart.each(f"job {record.job_id}"):
                ports.notify(record)
                done += isinstance(ports.ledger.change(record.job_id, notified(record)), Applied)
    apart.raise_first()
    return done
