"""How long a retry waits: the backoff of its job type, or what a server asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor
from typing import TYPE_CHECKING, Final

from lanework.errors import InvalidOptionError
from lanework.model.job.job_exceptions import LONGEST_PARK

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_WAIT: Final = timedelta(hours=12)
"""Longest visibility timeout of a message (SQS quotas, "Message visibility timeout")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """
    Exponential backoff with jitter: `base × 2^(attempt-1)`, plus up to a tenth of it.

    Attributes:
        base: Wait before the second attempt, without jitter. Zero retries at once.
        ceiling: Longest wait, jitter included.
        jitter: Fraction of the wait that is added at random, 0.0 to 1.0.
    """

    base: timedelta = timedelta(seconds=2)
    ceiling: timedelta = LONGEST_WAIT
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if self.base < timedelta(0):
            msg = f"backoff base must not be negative, got {self.base}"
            raise InvalidOptionError(msg)
        if not timedelta(0) < self.ceiling <= LONGEST_WAIT:
            msg = f"backoff ceiling must be above zero and at most 12 hours (SQS's visibility), got {self.ceiling}"
            raise InvalidOptionError(msg)
        if not 0.0 <= self.jitter <= 1.0:
            msg = f"backoff jitter must be between 0.0 and 1.0, got {self.jitter}"
            raise InvalidOptionError(msg)

    def wait_after(self, attempt: int, *, rand: Callable[[], float]) -> timedelta:
        """
        Return how long to wait after failed attempt 1, 2, …, in whole seconds, as SQS counts visibility.

        Jitter below a second is lost, and a wait is never shorter than without it. `rand` gives 0.0 to 1.0.
        """
        # Above 2^40 any positive base has long met the ceiling; the exponent is capped so that no float overflows.
        plain_s = self.base.total_seconds() * 2.0 ** min(attempt - 1, 40)
        wait_s = min(plain_s * (1.0 + self.jitter * rand()), self.ceiling.total_seconds())
        return timedelta(seconds=max(floor(wait_s), ceil(min(plain_s, self.ceiling.total_seconds()))))


_ASKS: Final = frozenset({429, 503})
"""Statuses with which a server may send Retry-After for an overload (RFC 9110, section 10.2.3; RFC 6585, section 4)."""

_LONGEST_S: Final = str(int(LONGEST_PARK.total_seconds()))

_STATUS: Final = ("status_code", "status", "code")


def asked_wait(error: BaseException, *, now: datetime) -> timedelta | None:
    """
    Return the wait that a Retry-After header asks for, or None.

    Understands requests and httpx (`error.response`), aiohttp and urllib (the error itself), and botocore (a dict with
    `ResponseMetadata`), by their shape: none of them is imported. What a remote sends, or a library's properties raise,
    raises nothing here: a wait that can't be read is none.
    """
    try:
        return _asked_wait(error, now)
    except BaseException:  # noqa: BLE001 - code of whatever library
        return None


def _asked_wait(error: BaseException, now: datetime) -> timedelta | None:
    for carrier in (getattr(error, "response", None), error):
        status, headers = _read(carrier)
        if status in _ASKS:
            wait = _parsed(_header(headers, "retry-after"), now)
            if wait is not None:
                return min(max(wait, timedelta(seconds=1)), LONGEST_PARK)
    return None


def _read(carrier: object) -> tuple[object, object]:
    if isinstance(carrier, Mapping):
        metadata = carrier.get("ResponseMetadata")
        if isinstance(metadata, Mapping):
            return metadata.get("HTTPStatusCode"), metadata.get("HTTPHeaders")
        return None, None
    status = next((getattr(carrier, name) for name in _STATUS if isinstance(getattr(carrier, name, None), int)), None)
    return status, getattr(carrier, "headers", None)


def _header(headers: object, name: str) -> str | None:
    items = getattr(headers, "items", None)
    if not callable(items):
        return None
    return next((str(value) for key, value in items() if str(key).lower() == name), None)


def _parsed(value: str | None, now: datetime) -> timedelta | None:
    """Read the two forms of the header: a number of seconds, and an HTTP date."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0")
        is_readable = len(digits) <= len(_LONGEST_S)  # Python reads no number of over 4,300 digits
        return timedelta(seconds=min(int(digits or "0"), int(_LONGEST_S))) if is_readable else LONGEST_PARK
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - for what is seldom answered

    at = parsedate_to_datetime(text)
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now
