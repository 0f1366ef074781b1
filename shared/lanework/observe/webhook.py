"""Alerts to a web address, such as a chat's incoming webhook."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from lanework.engine.alerting import alert_as_json, title_of
from lanework.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.model.alerts import Alert

_TIMEOUT_S: Final = 5.0


class _NoRedirects(HTTPRedirectHandler):
    """An alert goes where it was configured to go, and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


class WebhookChannel:
    """Implements the `Channel` port: POST with what `alert_as_json` returns, and a `text` that chats show."""

    name = "webhook"

    def __init__(self, address: Callable[[], str]) -> None:
        """Post to the address that this gives: the operator's own, from the stack's settings."""
        self._address = address
        self._opener = build_opener(_NoRedirects)

    def tell(self, alert: Alert) -> None:
        """See `Channel.tell`. Whatever isn't answered with 2xx within five seconds is told again."""
        content = alert_as_json(alert)
        content["text"] = f"{title_of(alert)}: {alert.text}"
        body = json.dumps(content).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "lanework"}
        address = self._address().strip()
        if not address.startswith(("https://", "http://")):
            msg = "the alerts' webhook is no web address: it has to begin with https:// or http://"
            raise ConfigError(msg)
        request = Request(address, data=body, headers=headers, method="POST")  # noqa: S310 - looked at above
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                status = answer.status
        except HTTPError as error:
            status = error.code
        except (OSError, HTTPException) as error:
            msg = f"the alerts' webhook doesn't answer: {type(error).__name__}"  # its address may hold a secret
            raise UnavailableError(msg) from None
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            msg = f"the alerts' webhook answered {status}"
            raise UnavailableError(msg)
