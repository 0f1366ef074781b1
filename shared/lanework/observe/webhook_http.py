"""
Sending to addresses that others have chosen, over HTTP, and nowhere but to the internet.

A host is resolved once; if any of its addresses isn't a public one, nothing is sent; and the connection goes to the
very address that was looked at, so that a name which resolves differently a moment later changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lanework.model.webhooks import checked_webhook
from lanework.observe.http_exchange import Exchange, resolved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.ports.webhooks import Answered
    from lanework.observe.http_exchange import Resolve

WITHIN: Final = timedelta(seconds=10)
"""Of resolving, connecting, TLS, sending and the answer's head together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InternetPost:
    """
    Implements the `Post` port.

    Attributes:
        may_be_private: Send to any address; for development, where the receiver is this machine.
        resolve: Gives the addresses of a host.
        within: The deadline of a message.
    """

    may_be_private: bool = False
    resolve: Resolve = resolved
    within: timedelta = WITHIN

    def __call__(self, url: str, body: str, headers: Mapping[str, str]) -> Answered:
        send = Exchange(within=self.within, may_be_private=self.may_be_private, resolve=self.resolve)
        return send(urlsplit(checked_webhook(url)), body.encode(), headers)
