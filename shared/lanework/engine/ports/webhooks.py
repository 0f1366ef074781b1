"""The world outside of an application, as ports: whoever receives webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lanework.model.lifecycle.states import JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a webhook's receiver said."""

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)


class Post(Protocol):
    """Sends to addresses that others have chosen."""

    def __call__(self, url: str, body: str, headers: Mapping[str, str]) -> Answered:
        """
        Send a message. A redirect is an answer; it isn't followed.

        Raises:
            ForbiddenAddressError: The host is, or resolves to, an address that isn't on the internet.
            UnavailableError: The receiver didn't answer.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """
    Where webhooks go, and how they are sent.

    Attributes:
        stack: Whose jobs they are.
        webhook: Where completions and deaths go of jobs that name no address; None nowhere. What gives it raises
            UnavailableError if it can't be read.
        post: Sends webhooks; None sends none.
        secrets: Gives the keys to sign them with; raises ConfigError if there are none.
    """

    stack: str = ""
    webhook: str | Callable[[], str | None] | None = None
    post: Post | None = None
    secrets: Callable[[], Sequence[bytes]] = tuple

    def address_of(self, record: JobRecord) -> str | None:
        """Return where a job's end is sent to; raises UnavailableError if that can't be read."""
        if record.webhook:
            return record.webhook
        return self.webhook() if callable(self.webhook) else self.webhook
