"""
Sending to addresses that others have chosen, over HTTP, and nowhere but to the internet.

A host is resolved once; if any of its addresses isn't a public one, nothing is sent; and the connection goes to the
very address that was looked at, so that a name which resolves differently a moment later changes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lanework.model.webhooks import checked_webhook
from lanework.observe.http_exchange import Exchange, resolved
from lanework.observe.special_addresses import is_public

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.ports.webhooks import Answered
    from lanework.observe.http_exchange import Resolve

__all__ = ["WITHIN", "InternetPost", "is_public"]

WITHIN: Final = timedelta(seconds=10)
"""Of resolving, connecting, TLS, sending and the answer's head together."""


class InternetPost:
    """Implements the `Post` port."""

    def __init__(
        self, *, may_be_private: bool = False, resolve: Resolve | None = None, within: timedelta = WITHIN
    ) -> None:
        """
        Send to public addresses.

        Args:
            may_be_private: Send to any address; for development, where the receiver is this machine.
            resolve: Gives the addresses of a host; the operating system's by default.
            within: The deadline of a message.
        """
        self._send = Exchange(within=within, may_be_private=may_be_private, resolve=resolve or resolved)

    def __call__(self, url: str, body: str, headers: Mapping[str, str]) -> Answered:
        return self._send(urlsplit(checked_webhook(url)), body.encode(), headers)
