"""`cleanup.expired-tokens`: tokens that are no longer good for anything."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from jobs.cleanup.family import cleanup
from jobs.clock import utc_now
from jobs.payloads import Payload
from jobs.store import Tokens, app_store
from lanework import Public, Run

TokenKind = Literal["otp", "password-reset", "refresh", "session"]
PAGE_SIZE: Final = 100


class ExpiredTokens(Payload):
    """
    Which tokens to remove.

    Attributes:
        kinds: One or more kinds, default all.
    """

    kinds: Public[Annotated[tuple[TokenKind, ...], Field(min_length=1)]] = (
        "otp",
        "password-reset",
        "refresh",
        "session",
    )


@cleanup.job("cleanup.expired-tokens", cron="0 2 * * *")
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
    return delete_expired(store(), which.kinds, run, now=now())


def delete_expired(kept: Tokens, kinds: tuple[TokenKind, ...], run: Run, *, now: datetime) -> int:
    """Delete the tokens of these kinds that expired by now, telling how far it is, and return how many."""
    deleted = 0
    for number, kind in enumerate(kinds):
        for page in kept.expired_tokens(kind, now=now, page_size=PAGE_SIZE):
            kept.delete_tokens(page)
            deleted += len(page)
            run.progress(100 * number // len(kinds), f"{deleted} deleted, now {kind}")
    return deleted
