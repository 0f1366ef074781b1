"""Delivering one webhook: signed, once; its retries are the job's."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.webhooks.signature import key_for, signed
from lanework.errors import ConfigError, LaneworkError
from lanework.model.job.job_exceptions import Discard
from lanework.model.webhooks import checked_webhook

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.webhooks import Answered
    from lanework.engine.webhooks.notify import WebhookPayload

AGENT: Final = "Lanework-Webhooks/1"


class NotTakenError(LaneworkError):
    """Raised when a webhook's receiver answered with something else than success; `response` may say when to retry."""

    def __init__(self, response: Answered) -> None:
        self.response = response
        moved = ", and redirects are not followed" if 300 <= response.status_code < 400 else ""  # noqa: PLR2004
        super().__init__(f"the receiver answered {response.status_code}{moved}")


def deliver(order: WebhookPayload, ports: Ports) -> dict[str, Any]:
    """
    Send a webhook.

    Raises:
        Discard: The receiver doesn't want any more (410).
        NotTakenError, UnavailableError: It didn't take it.
        InvalidOptionError, ForbiddenAddressError, ConfigError: It can't be sent there, or nothing can sign it.
    """
    webhooks = ports.webhooks
    if webhooks.post is None:
        msg = "webhooks can't be sent from this process"
        raise ConfigError(msg)
    checked_webhook(order.url)
    timestamp = int(ports.clock().timestamp())
    keys = [key_for(order.url, key) for key in webhooks.secrets()]
    signature = signed(order.body, event_id=order.event_id, timestamp=timestamp, secrets=keys)
    headers = {"content-type": "application/json", "user-agent": AGENT, **signature}
    answer = webhooks.post(order.url, order.body, headers)
    if answer.status_code == HTTPStatus.GONE:
        msg = "the receiver answered 410: it accepts no more"
        raise Discard(msg)
    if not 200 <= answer.status_code < 300:  # noqa: PLR2004 - HTTP's successes
        raise NotTakenError(answer)
    return {"status": answer.status_code}
