"""
Telling the world of a job's end: on the bus, and by a webhook, which is a job of Lanework's own.

The end is recorded first, then told, and only then its message acked. So a message that comes back to a job that has
ended tells of it again, with the same id: at least once, and no write more (docs/decisions/0020).
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict

from lanework.engine.dead_letters import send_ticket
from lanework.engine.delivery import Ack, Keep
from lanework.engine.enqueue import Enqueuer
from lanework.engine.handover import QUEUE
from lanework.engine.registry import Options
from lanework.engine.request import Request
from lanework.errors import EnqueueError, UnavailableError
from lanework.model.events import Action
from lanework.model.headers import CORRELATION, correlation_of
from lanework.model.states import ENDED, JobRecord, State

if TYPE_CHECKING:
    from lanework.engine.delivery import Report
    from lanework.engine.journal import Journal
    from lanework.engine.ports import Ports
    from lanework.engine.receipt import Receipt
    from lanework.engine.registry import JobType
    from lanework.model.envelope import Envelope
    from lanework.model.notices import Notice

ABOUT: Final = "about-job"
"""Header of a delivery: the job that it tells of."""

TELL_AGAIN: Final = timedelta(seconds=10)
"""After how long a message comes back whose job's end could not be told."""


class WebhookOrder(BaseModel):
    """
    Payload of `lanework.webhook`.

    Attributes:
        url: Where to.
        event_id: The notice's id.
        body: The notice.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    event_id: str
    body: str


class Teller:
    """Tells the world of ends."""

    def __init__(self, ports: Ports, webhook: JobType) -> None:
        """Take the ports, and the type of the job that delivers a webhook."""
        self._ports = ports
        self._webhook = webhook

    def tell(self, record: JobRecord) -> None:
        """
        Tell of a job's end; repeating it is safe.

        Raises:
            UnavailableError: Somebody was not told.
        """
        world = self._ports.world
        if record.queue == QUEUE or record.state not in ENDED or record.retired:
            return
        if world.bus is not None:
            world.bus.put([self._notice(record)])
        url = self.address_of(record)
        if url is not None and record.state is not State.CANCELLED:
            try:
                self.send(record, url)
            except EnqueueError as error:
                raise UnavailableError(str(error)) from error

    def address_of(self, record: JobRecord) -> str | None:
        """Return where a job's end is sent to."""
        return record.webhook or self._ports.world.webhook

    def _notice(self, record: JobRecord) -> Notice:
        from lanework.model.notices import notice_of_end  # noqa: PLC0415 - a model to build, where nobody may listen

        return notice_of_end(record, stack=self._ports.world.stack)

    def send(self, record: JobRecord, url: str, *, again: str = "") -> Receipt[Any]:
        """
        Enqueue the delivery of a webhook: once for an end and an address, or once more.

        Args:
            record: The job, ended.
            url: Where to.
            again: Tells a further delivery from the one before.

        Raises:
            EnqueueError: It was not enqueued.
        """
        notice = self._notice(record)
        order = WebhookOrder(url=url, event_id=notice.id, body=notice.written())
        digest = sha256(f"{notice.id} {url} {again}".encode()).hexdigest()[:32]
        correlation_id = correlation_of(record.headers) or record.job_id
        request = Request(
            type=self._webhook,
            payload=order,
            options=Options(),
            job_id=f"webhook-{digest}",
            headers=((ABOUT, record.job_id), (CORRELATION, correlation_id)),
        )
        return Enqueuer(self._ports).enqueue(request)


def told(record: JobRecord, ports: Ports, journal: Journal) -> Report:
    """Tell the world of a job's end, and say what becomes of its message: it stays until that is done."""
    try:
        ports.tell(record)
    except UnavailableError as error:
        journal.note(Action.WRITE_FAILED, reason=f"telling of its end: {error}", wait=TELL_AGAIN)
        return Keep(TELL_AGAIN)
    return Ack()


def buried(message: Envelope, record: JobRecord, ports: Ports, journal: Journal) -> Report:
    """Put a dead job's ticket into its lane's DLQ, then tell of its death; the message stays until both are done."""
    report = send_ticket(message, record, ports, journal)
    return told(record, ports, journal) if isinstance(report, Ack) else report


def told_again(record: JobRecord, ports: Ports, journal: Journal) -> Report:
    """Do the same for a message that finds its job ended; who cancels a job that never ran tells of it himself."""
    is_told_by_others = record.state is State.CANCELLED and record.claim_id is None
    return Ack() if is_told_by_others else told(record, ports, journal)
