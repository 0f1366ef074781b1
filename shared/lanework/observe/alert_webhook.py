"""Alerts to a web address, such as a chat's incoming webhook."""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lanework.errors import ConfigError, UnavailableError
from lanework.model.webhooks import is_address
from lanework.observe.http_exchange import Exchange, resolved

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.model.stats.alerts import Alert

WITHIN: Final = timedelta(seconds=5)
"""The clock tells alerts, and has more to do in its minute."""


class WebhookChannel:
    """Implements the `Channel` port: POST with the alert's document, and a `text` that chats show."""

    name = "webhook"

    def __init__(self, address: Callable[[], str], *, within: timedelta = WITHIN) -> None:
        """Post to the operator's own address, from the stack's settings; it may be a private one."""
        self._address = address
        self._send = Exchange(within=within, may_be_private=True, resolve=resolved)

    def notify(self, alert: Alert) -> None:
        """Post an alert. What isn't answered with 2xx within the deadline is sent again by the next tick."""
        from lanework.engine.stats.view import Alert as AlertView  # noqa: PLC0415 - models to build

        content = AlertView.of(alert).to_json()
        content["text"] = f"{content['title']}: {alert.text}"
        headers = {"content-type": "application/json", "user-agent": "lanework"}
        address = self._address().strip()
        if not is_address(address):
            msg = "the alerts' webhook is no web address: it has to begin with https:// or http://, and name a host"
            raise ConfigError(msg)
        try:
            status = self._send(urlsplit(address), json.dumps(content).encode(), headers).status_code
        except UnavailableError as error:
            why = type(error.__cause__ or error).__name__
            msg = f"the alerts' webhook doesn't answer: {why}"  # its address may hold a secret
            raise UnavailableError(msg) from None
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            msg = f"the alerts' webhook answered {status}"
            raise UnavailableError(msg)
