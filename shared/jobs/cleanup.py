"""The family `cleanup`: removes what the application no longer needs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from jobs.payloads import Payload
from jobs.store import Tokens, app_store
from lanework import Jobs, Public, Run

cleanup = Jobs(queue="cleanup", lane="batch")

TokenKind = Literal["otp", "password-reset", "session"]
PAGE_SIZE: Final = 100


class ExpiredTokens(Payload):
    """
    Which tokens to remove.

    Attributes:
        kinds: One or more kinds, default all.
    """

    kinds: Public[Annotated[tuple[TokenKind, ...], Field(min_length=1)]] = ("otp", "password-reset", "session")


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


@cleanup.job("cleanup.expired-tokens", lane="batch", cron="0 2 * * *")
def delete_expired_tokens(
    which: ExpiredTokens,
    run: Run,
    *,
    store: Callable[[], Tokens] = app_store,
    now: Callable[[], datetime] = utc_now,
) -> int:
    """
    Delete the tokens that have expired, 100 at a time, and return how many.

    Idempotent: a second run finds only what expired since, and a run that died half-way is continued by the next.
    """
    kept, moment, deleted = store(), now(), 0
    for number, kind in enumerate(which.kinds):
        for page in kept.expired_tokens(kind, now=moment, page_size=PAGE_SIZE):
            kept.delete_tokens(page)
            deleted += len(page)
            run.progress(100 * number // len(which.kinds), f"{deleted} deleted, now {kind}")
    return deleted
