"""What AWS's refusals mean: try again, sign again, or never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_TRANSIENT: Final = frozenset(
    {
        "AWS.SimpleQueueService.OverLimit",
        "AWS.SimpleQueueService.ThrottlingException",
        "BandwidthLimitExceeded",
        "InternalFailure",
        "InternalServerError",
        "KMS.ThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",  # a queue has 120,000 messages in flight (SQS, ReceiveMessage); fewer once some are answered
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",  # of a single write, that met another's transaction
        "TransactionInProgressException",
    }
)

_NO_QUEUE: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_MISSING: Final = _NO_QUEUE | {"ResourceNotFoundException", "NoSuchBucket"}

EXPIRED: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed", "TokenRefreshRequired"}
)
"""The credentials, or the moment that a request was signed at, are over."""

_SIGNATURES: Final = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch"})
"""A wrong secret; or a signature that came too late, or too early: its text, or the clock, says which."""

_OF_TIME: Final = ("signature expired", "signature not yet current", "request has expired")

_UNKNOWN_CALLS: Final = frozenset(
    {"InvalidAction", "NotImplemented", "NotImplementedException", "UnknownAction", "UnknownOperationException"}
)

TOLERATED: Final = timedelta(minutes=5)
"""By how much a request's time may differ from AWS's (Signature Version 4)."""

_WORTH_NAMING: Final = timedelta(seconds=30)


def meaning_of(error: ClientError, doing: str) -> UnavailableError | ConfigError:
    """Return a refusal in Lanework's words; `doing` is what was being done."""
    code = _code_of(error)
    if is_transient(error):
        return UnavailableError(f"{doing}: {code}")
    if is_expired(error):
        return UnavailableError(f"{doing}: {code}: {why_expired(error, now=datetime.now(UTC))}")
    if code in _MISSING:
        lanes = "; set LANEWORK_LANES to the stack's lanes, such as high,low, if it leaves some out"
        return ConfigError(
            f"{doing}: it doesn't exist; is LANEWORK_STACK right, and the stack deployed in this region?"
            f"{lanes if code in _NO_QUEUE else ''}"
        )
    return ConfigError(f"{doing}: {error}")


def is_transient(error: ClientError) -> bool:
    """Tell whether the same call may succeed later."""
    status = _status_of(error)
    return (
        _code_of(error) in _TRANSIENT
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or status == HTTPStatus.TOO_MANY_REQUESTS
    )


def is_expired(error: ClientError) -> bool:
    """Tell whether the same call may succeed with a signature that is made anew."""
    code = _code_of(error)
    if code not in _SIGNATURES:
        return code in EXPIRED
    text = error.response.get("Error", {}).get("Message", "").lower()
    ahead = clock_ahead(error, now=datetime.now(UTC))
    return any(one in text for one in _OF_TIME) or (ahead is not None and abs(ahead) >= TOLERATED)


def is_unknown_to_the_endpoint(error: ClientError) -> bool:
    """Tell whether an endpoint says that it can't do a call at all: emulators, of some; AWS never."""
    status, code = _status_of(error), _code_of(error)
    if code in _UNKNOWN_CALLS or status == HTTPStatus.NOT_IMPLEMENTED:
        return True
    # What is none of DynamoDB's own errors is an emulator's that fell over the call.
    return status == HTTPStatus.INTERNAL_SERVER_ERROR and code not in _TRANSIENT


def why_expired(error: ClientError, *, now: datetime) -> str:
    """Say why a signature was refused for its time: this machine's clock is wrong, or the credentials are over."""
    ahead = clock_ahead(error, now=now)
    if ahead is None:
        return "the credentials have expired, or this machine's clock is wrong"
    if abs(ahead) < _WORTH_NAMING:
        return "the credentials have expired, or the request was long under way; this machine's clock is right"
    minutes, seconds = divmod(round(abs(ahead).total_seconds()), 60)
    return f"this machine's clock is {minutes} min {seconds} s {'ahead of' if ahead > timedelta(0) else 'behind'} AWS's"


def clock_ahead(error: ClientError, *, now: datetime) -> timedelta | None:
    """Return how far this machine's clock is ahead of the service's, to the second; None if it doesn't say its time."""
    said = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        at = parsedate_to_datetime(str(said))
    except ValueError:
        return None
    return now - (at if at.tzinfo is not None else at.replace(tzinfo=UTC))


def _code_of(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _status_of(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
