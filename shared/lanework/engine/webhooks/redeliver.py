"""Looking at webhooks and sending them once more, for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.errors import InvalidOptionError, JobNotFoundError
from lanework.model.lifecycle.states import State
from lanework.model.webhooks import checked_webhook

if TYPE_CHECKING:
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.webhooks.notify import WebhookNotifier


class WebhookDeliveries:
    """Sends webhooks again."""

    def __init__(self, ports: Ports, teller: WebhookNotifier) -> None:
        self._ports = ports
        self._notifier = teller

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
        if record.state not in (State.COMPLETED, State.DEAD):
            msg = f"job {job_id!r} is {record.state}: webhooks tell of completions and deaths"
            raise InvalidOptionError(msg)
        address = self._ports.world.address_of(record) if url is None else checked_webhook(url)
        if address is None:
            msg = f"job {job_id!r} has no webhook: say where it is to go"
            raise InvalidOptionError(msg)
        return self._notifier.send(record, address, again=self._ports.new_id())
