"""What goes wrong, as problem+json (RFC 9457): a status, a stable type, and a sentence that says what to do."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler import Response

from lanework import errors
from lanework.errors import EnqueueError, InvalidPayloadError, LaneworkError, QuotaExceededError
from lanework.model.job.sqs_text import legible
from lanework.model.job.validation_errors import MOST_PROBLEMS, message_of, place_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

_LONGEST_DETAIL: Final = 2_000
_LONGEST_MESSAGE: Final = 400
CONTENT_TYPE: Final = "application/problem+json"

_STATUS: Final[dict[HTTPStatus, tuple[type[LaneworkError], ...]]] = {
    HTTPStatus.BAD_REQUEST: (errors.InvalidOptionError, errors.UnknownNameError),
    HTTPStatus.NOT_FOUND: (errors.JobNotFoundError, errors.NothingMatchesError, errors.WorkflowNotFoundError),
    HTTPStatus.CONFLICT: (
        *(
            errors.UnknownParentError,
            errors.JobIdTakenError,
            errors.WorkflowClosedError,
            errors.NotDeadError,
            errors.NotRedrivenError,
        ),
        *(errors.JobNotWaitingError, errors.JobEndedError, errors.SignalTooLateError),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (errors.TooLargeError,),
    HTTPStatus.UNPROCESSABLE_ENTITY: (InvalidPayloadError,),
    HTTPStatus.TOO_MANY_REQUESTS: (QuotaExceededError,),
    HTTPStatus.NOT_IMPLEMENTED: (errors.UnsupportedError,),
    HTTPStatus.SERVICE_UNAVAILABLE: (errors.UnavailableError, EnqueueError, errors.ScheduleNotConnectedError),
}
"""Errors that say something to the caller; what is not among them is the server's own affair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    A problem's answer.

    Attributes:
        status: The HTTP status.
        kind: A stable word for programs, such as `job-not-found`.
        detail: What is wrong with this request, and what to do.
        errors: The first 20 fields that are wrong: `in` (query, path, header, body), `field`, `message`.
        headers: Headers of the answer.
    """

    status: HTTPStatus
    kind: str
    detail: str
    errors: tuple[Mapping[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Bound the answer: what is wrong with a request can be as long as the request."""
        cut = tuple(
            {name: legible(text, most=_LONGEST_MESSAGE) for name, text in one.items()}
            for one in self.errors[:MOST_PROBLEMS]
        )
        object.__setattr__(self, "errors", cut)
        object.__setattr__(self, "detail", legible(self.detail, most=_LONGEST_DETAIL))

    def response(self) -> Response[str]:
        """Return it as an answer."""
        body: dict[str, object] = {
            "type": f"urn:lanework:problem:{self.kind}",
            "title": self.status.phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = self.errors
        headers: dict[str, str | list[str]] = dict(self.headers)
        return Response(
            status_code=self.status,
            content_type=CONTENT_TYPE,
            body=json.dumps(body, ensure_ascii=False),
            headers=headers,
        )


class ProblemError(LaneworkError):
    """
    Raised when a request can't be answered for a reason that lies in HTTP itself, such as its token.

    Attributes:
        problem: The answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        *,
        errors: tuple[Mapping[str, str], ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.problem = Problem(status=status, kind=kind, detail=detail, errors=errors, headers=headers or {})
        super().__init__(self.problem.detail)


def wrong_query(**wrong: str) -> ProblemError:
    """Return the refusal of query parameters, each with what is wrong with it, the first in its detail."""
    name, message = next(iter(wrong.items()))
    fields = tuple({"in": "query", "field": field, "message": what} for field, what in wrong.items())
    return ProblemError(HTTPStatus.BAD_REQUEST, "invalid-request", f"{name}: {message}", errors=fields)


def problem_of(error: LaneworkError, *, now: datetime) -> Problem | None:
    """Return an error as a problem; None if it isn't the caller's, and must not be shown."""
    if isinstance(error, ProblemError):
        return error.problem
    status = next((status for status, kinds in _STATUS.items() if isinstance(error, kinds)), None)
    if isinstance(error, EnqueueError) and error.is_final:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    if status is None:
        return None
    problems = error.problems if isinstance(error, InvalidPayloadError) else ()
    return Problem(
        status=status,
        kind=_word_of(type(error)),
        detail=str(error),
        errors=tuple(_of_payload(one) for one in problems),
        headers=_retry_after(error, status, now),
    )


def not_as_documented(error: RequestValidationError) -> Problem:
    """Return what is wrong with a request that doesn't fit the API's description; no value of it is repeated."""
    found = error.errors()
    fields = tuple(_of_field(one) for one in found[:MOST_PROBLEMS])
    in_the_body = all(one["loc"][0] == "body" or one["type"] == "json_invalid" for one in found)
    is_json = not any(one["type"] == "json_invalid" for one in found)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if in_the_body and is_json else HTTPStatus.BAD_REQUEST
    detail = "; ".join(f"{one['field'] or one['in']}: {one['message']}" for one in fields)
    if len(found) > len(fields):
        detail = f"{len(found):,} fields are wrong, of which the first: {detail}"
    return Problem(status=status, kind="invalid-request" if is_json else "malformed-json", detail=detail, errors=fields)


BROKEN: Final = Problem(
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    kind="internal",
    detail="an internal error, not caused by your request; the function's log has its type and place",
)
"""The answer to errors that aren't the caller's."""


def _of_payload(problem: str) -> Mapping[str, str]:
    name, _, message = problem.partition(": ")
    return {"in": "body", "field": f"payload.{name}", "message": message}


def _of_field(error: Mapping[str, Any]) -> Mapping[str, str]:
    place, *path = error["loc"]
    if error["type"] == "json_invalid":
        return {"in": "body", "field": "", "message": str(error["ctx"]["error"])}
    named = path[-1:] if place == "query" else path  # several parameters may come as one value, whose name nobody knows
    return {"in": str(place), "field": place_of(named), "message": message_of(error, is_ours=True)}


def _retry_after(error: LaneworkError, status: HTTPStatus, now: datetime) -> Mapping[str, str]:
    if isinstance(error, QuotaExceededError):
        return {"Retry-After": str(max(1, ceil((error.retry_at - now).total_seconds())))}
    return {"Retry-After": "1"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}


def _word_of(kind: type[LaneworkError]) -> str:
    """Return `job-not-found` for `JobNotFoundError`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__.removesuffix("Error")).lower()
