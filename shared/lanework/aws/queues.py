"""The addresses of the lanes' queues, which follow from the stack's name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lanework.aws.clients import Clients
    from lanework.model.lanes import Lane

BATCH: Final = 10
"""Most messages of one call (SQS quotas, "Message batch")."""


class Queues:
    """The queues `<stack>-<lane>` and `<stack>-<lane>-dlq`."""

    def __init__(self, clients: Clients, *, stack: str) -> None:
        """Take the stack's name."""
        self._clients = clients
        self._stack = stack
        self._urls: dict[str, str] = {}

    def url(self, lane: Lane, suffix: str = "") -> str:
        """Build a queue's address from the endpoint, so that whatever stands in front of SQS is not bypassed."""
        name = f"{self._stack}-{lane}{suffix}"
        if name not in self._urls:
            endpoint = self._clients.sqs.meta.endpoint_url.rstrip("/")
            self._urls[name] = f"{endpoint}/{self._clients.account}/{name}"
        return self._urls[name]


def seconds(duration: timedelta) -> int:
    """Whole seconds, rounded up: SQS counts in them, and too early is worse than too late."""
    return -(-duration // timedelta(seconds=1))
