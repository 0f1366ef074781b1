"""Registers what the API answers to, each with the role that it needs; what is unknown is answered with a problem."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from lanework.errors import did_you_mean
from lanework.http.problems import ProblemError, wrong_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

    from lanework.http.auth.tokens import Role

JSON: Final = "application/json"

LARGEST_BODY: Final = 1024 * 1024
"""Bytes of a request's body; 100 jobs of 10 KB each. A single payload may have 256 KB."""

RESUME_WITHIN: Final = timedelta(seconds=10)
"""How long a request moves the jobs that a pause held; API Gateway waits for 30 s (HTTP API quotas)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One thing that the API answers to, as `lanework.http.endpoints.endpoint` takes it; and its query's parameters."""

    method: str
    path: str
    needs: Role | None
    query: tuple[str, ...]
    status: HTTPStatus
    takes: str
    is_documented: bool


class Routes:
    """
    The endpoints of the API.

    Attributes:
        endpoints: Those registered so far.
    """

    def __init__(self, resolver: ApiGatewayResolver) -> None:
        self.resolver = resolver
        self.endpoints: list[Endpoint] = []

    def add(self, endpoint: Endpoint, answer: Callable[..., Any], *, tag: str) -> None:
        """Register what answers requests for an endpoint."""
        summary, _, description = inspect.cleandoc(answer.__doc__ or "").partition("\n\n")
        self.endpoints.append(endpoint)
        self.resolver.route(
            endpoint.path.replace("{", "<").replace("}", ">"),
            endpoint.method,
            summary=summary,
            description=description or None,
            tags=[tag],
            operation_id=answer.__name__,
            include_in_schema=endpoint.is_documented,
            security=[{}] if endpoint.needs is None else [{"token": [endpoint.needs.value]}],
            status_code=endpoint.status,
        )(answer)

    def find(self) -> Endpoint | None:
        """Return the endpoint that the current request is for; None if there is none."""
        wanted = (self.resolver.request.method, self.resolver.request.route)
        return next((one for one in self.endpoints if (one.method, one.path) == wanted), None)

    def here(self) -> Endpoint:
        """
        Return the endpoint that the current request is for.

        Raises:
            ProblemError: There is none: 404, or 405 if the path has other methods.
        """
        found = self.find()
        if found is not None:
            return found
        request = self.resolver.request
        path = self.resolver.current_event.path
        exact = [one for one in self.endpoints if one.path == path]
        others = sorted({one.method for one in exact or (one for one in self.endpoints if _matches(one.path, path))})
        if not others or request.method in others:  # the resolver takes no path that no name could be in
            raise ProblemError(HTTPStatus.NOT_FOUND, "no-such-path", f"nothing is at {path}; see /openapi.json")
        allowed = ", ".join(others)
        raise ProblemError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method-not-allowed",
            f"{request.method} is not for {path}, which takes {allowed}",
            headers={"Allow": allowed},
        )

    def check_request(self, app: ApiGatewayResolver, next_middleware: NextMiddleware) -> Response[Any]:
        """
        Refuse what no endpoint could use: a query parameter that it doesn't have, a body that is too large or no text.

        A misspelt filter that was passed over would ask for more than was meant.
        """
        endpoint = self.here()
        known = endpoint.query
        for name in app.current_event.query_string_parameters:
            if name not in known:
                raise wrong_query(**{name: f"unknown parameter{did_you_mean(name, known)}"})
        _check_body(app, endpoint.takes)
        return next_middleware(app)


def read_json(text: str) -> Any:  # noqa: ANN401 - it is what it is
    """
    Read a body, which must be a JSON object.

    Raises:
        JSONDecodeError: It isn't; nesting without end, NaN and lone surrogates are no JSON either.
    """
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        msg = f"not JSON: {error}"
        raise json.JSONDecodeError(msg, "", 0) from None
    if not isinstance(value, dict):
        msg = "expected a JSON object"
        raise json.JSONDecodeError(msg, "", 0)
    return value


def _check_body(app: ApiGatewayResolver, takes: str) -> None:
    event = app.current_event
    shown = (event.headers.get("content-type") or takes).partition(";")[0].strip().lower()
    if event.body and shown != takes:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            f"the body must be {takes}, and its Content-Type says {shown}",
        )
    try:
        body = event.decoded_body or ""
        size = len(body.encode())
    except ValueError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "malformed-json", "the body is not text in UTF-8") from None
    if size > LARGEST_BODY:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too-large",
            f"the body is {size:,} bytes, over the limit of {LARGEST_BODY:,}; send it in several requests",
        )


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\{.*?\\}", "[^/]+", re.escape(template)), path) is not None
