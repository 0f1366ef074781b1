"""
What a message may say. A queue is written to by whoever may send to it, so its messages are input (rule 22). Pure.

Each field is held to what an enqueue holds it to. What a message says of a job that is recorded counts only if it has
the record's nonce; what it says of one that isn't becomes its record, and may be of users' job types only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic_core import from_json

from lanework.errors import InvalidOptionError
from lanework.model.backoff import Backoff
from lanework.model.headers import with_headers
from lanework.model.ids import OURS, QUEUE_OF_OURS, checked_job_type, checked_queue, checked_tenant, well_formed_job_id
from lanework.model.lanes import LARGEST_PAYLOAD, LONGEST_IN_WORKER, MOST_ATTEMPTS
from lanework.model.webhooks import checked_webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lanework.model.envelope import Envelope

EnvelopeT = TypeVar("EnvelopeT", bound="Envelope")

_MOST_LIVES: Final = 1_000_000
_LATEST_VERSION: Final = 2**31
_LONGEST_NONCE: Final = 64
_MOST_HEADERS: Final = 256
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


def refusals_of(message: Envelope) -> Iterator[str]:
    """Yield what an enqueue would not have written, by its fields; no value is repeated."""
    checks: dict[str, bool] = {
        "id": _passes(well_formed_job_id, message.id),
        "type": _passes(checked_job_type, message.type),
        "queue": _passes(checked_queue, message.queue),
        "life": message.life <= _MOST_LIVES,
        "payload": len(message.payload.encode(errors="replace")) <= LARGEST_PAYLOAD,
        "version": message.version <= _LATEST_VERSION,
        "attempts": message.attempts <= MOST_ATTEMPTS,
        "backoff": _passes(lambda base: Backoff(base=base), message.backoff),
        "timeout": message.timeout is None or timedelta(0) < message.timeout <= LONGEST_IN_WORKER,
        "created_at": _is_kept(message.created_at),
        "run_at": message.run_at is None or _is_kept(message.run_at),
        "start_by": message.start_by is None or _is_kept(message.start_by),
        "headers": _passes(_checked_headers, message.headers),
        "nonce": message.nonce is None or 0 < len(message.nonce) <= _LONGEST_NONCE,
    }
    yield from (f"{field}: no enqueue writes this" for field, is_right in checks.items() if not is_right)
    yield from _refusals_of_kind(message)


def _refusals_of_kind(message: Envelope) -> Iterator[str]:
    """Yield what no message may be."""
    if message.unrecorded and (message.ticket or message.life != 1):
        yield "unrecorded: a first life, and no ticket"
    if message.unrecorded and (message.type.startswith(OURS) or message.queue == QUEUE_OF_OURS):
        yield "type: Lanework's own jobs are recorded before they are sent"


def refusals_of_first(message: Envelope) -> Iterator[str]:
    """Yield what speaks against a message whose words may become a record; of any other job the record has them."""
    if not _is_json(message.payload):
        yield "payload: not JSON"
    if message.tenant is not None and not _passes(checked_tenant, message.tenant):
        yield "tenant: no enqueue takes this"
    if message.webhook is not None and not _passes(checked_webhook, message.webhook):
        yield "webhook: no enqueue takes this"


def in_utc(message: EnvelopeT) -> EnvelopeT:
    """Return a message with its times in UTC: the index of recent jobs sorts them as text."""
    times = {name: getattr(message, name) for name in ("created_at", "run_at", "start_by")}
    other = {name: at.astimezone(UTC) for name, at in times.items() if at is not None and at.utcoffset()}
    return message.model_copy(update=other) if other else message


def _is_kept(moment: datetime) -> bool:
    return _EARLIEST <= moment < _LATEST


def _passes(check: Callable[[Any], object], value: object) -> bool:
    try:
        check(value)
    except InvalidOptionError:
        return False
    return True


def _checked_headers(headers: tuple[tuple[str, str], ...]) -> None:
    """Check each by itself: a webhook's delivery has its job's, and more."""
    if len(dict(headers)) != len(headers) or len(headers) > _MOST_HEADERS:
        msg = "a header comes twice, or there are too many"
        raise InvalidOptionError(msg)
    for name, value in headers:
        with_headers((), {name: value})


def _is_json(text: str) -> bool:
    try:
        from_json(text, allow_inf_nan=False)
    except ValueError:
        return False
    return True
