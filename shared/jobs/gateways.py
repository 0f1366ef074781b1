"""The other side of a text message, a push notification or a charge: an HTTP endpoint, or a log while there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from jobs.mail.login import from_ssm
from jobs.settings import GatewaySettings, gateway_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_RULE: Final = "=" * 33
_TIMEOUT_S: Final = 10
_MAY_COME_BACK: Final = frozenset({408, 425, 429})
_FIRST_SERVER_ERROR: Final = 500


class GatewayRefusedError(Exception):
    """Raised when a gateway refused what it was asked, for good: repeating doesn't help."""


class Gateway(Protocol):
    """Takes a request of ours."""

    def post(self, body: Mapping[str, object], *, key: str) -> None:
        """
        Hand a request over, or raise.

        Args:
            body: What is asked, JSON values.
            key: The same on every attempt, so that the other side can tell a repetition.

        Raises:
            GatewayRefusedError: It will not do it.
            OSError: It can't be reached, or is too busy for now.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOnly:
    """
    Shows on standard output what would be asked, who it is for aside: for development, like the mailer's mode.

    Attributes:
        what: In capitals, such as `SMS`.
    """

    what: str

    def post(self, body: Mapping[str, object], *, key: str) -> None:
        """Print the request's fields, in one piece."""
        lines = "\n".join(f"{name}: {value}" for name, value in body.items())
        print(f"{_RULE}\n{self.what} SENT (LOG-ONLY MODE)\n{_RULE}\nkey: {key}\n{lines}\n{_RULE}", flush=True)  # noqa: T201 - its purpose


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow none: the token is for the configured host only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGateway:
    """
    Posts JSON with an `Idempotency-Key`; 4xx is a refusal, what 429 and 503 say of `Retry-After` is honoured.

    Attributes:
        url: `https://…`, or `http://` on the loopback interface.
        token: Sent as a bearer token, unless it is empty.
    """

    url: str
    token: str = field(default="", repr=False)

    def post(self, body: Mapping[str, object], *, key: str) -> None:
        """Hand a request over; errors as in `Gateway.post`."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(self.url, data=json.dumps(body).encode(), headers=headers, method="POST")  # noqa: S310 - checked
        try:
            with build_opener(_NoRedirects).open(request, timeout=_TIMEOUT_S):
                return
        except HTTPError as error:
            if error.code >= _FIRST_SERVER_ERROR or error.code in _MAY_COME_BACK:
                raise
            msg = f"the gateway refused the request: {error.code}"
            raise GatewayRefusedError(msg) from None


def gateway(name: str) -> Gateway:
    """Return the gateway of a name (`sms`, `push` or `payment`) that the process's settings have."""
    return _made(name)


def gateway_for(name: str, settings: GatewaySettings, read: Callable[[str], str] = from_ssm) -> Gateway:
    """Return `HttpGateway` if the settings name an address, else `LogOnly`; `read` gives a parameter's value."""
    url = {"sms": settings.sms_url, "push": settings.push_url, "payment": settings.payment_url}[name]
    if not url:
        return LogOnly(what=name.upper())
    return HttpGateway(url=url, token=read(settings.token_parameter) if settings.token_parameter else "")


@cache
def _made(name: str) -> Gateway:
    return gateway_for(name, gateway_settings())
