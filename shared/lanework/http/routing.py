"""Registers what the API answers to, each with the role that it needs; what is unknown is answered with a problem."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel
from pydantic_core import from_json

from lanework.errors import did_you_mean
from lanework.http.problems import Problem, ProblemError, wrong_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

    from lanework.http.auth.tokens import Role

JSON: Final = "application/json"

LARGEST_BODY: Final = 1024 * 1024
"""Bytes of a request's body; 100 jobs of 10 KB each. A single payload may have 256 KB."""

RESUME_WITHIN: Final = timedelta(seconds=10)
"""How long a request moves the jobs that a pause held; API Gateway waits for 30 s (HTTP API quotas)."""

Function = TypeVar("Function", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """
    One thing that the API answers to.

    Attributes:
        method: In capitals.
        path: As OpenAPI writes it, such as `/api/jobs/{job_id}`.
        needs: The role that it takes; None: anybody may.
        query: The names of its query parameters.
        takes: The media type of a body.
    """

    method: str
    path: str
    needs: Role | None
    query: tuple[str, ...]
    takes: str


class Routes:
    """
    The endpoints of the API.

    Attributes:
        endpoints: Those registered so far.
    """

    def __init__(self, resolver: ApiGatewayResolver) -> None:
        """Register with this resolver from now on."""
        self.resolver = resolver
        self.endpoints: list[Endpoint] = []

    def add(
        self,
        method: str,
        path: str,
        needs: Role | None,
        *,
        tag: str,
        status: HTTPStatus = HTTPStatus.OK,
        takes: str = JSON,
        is_documented: bool = True,
    ) -> Callable[[Function], Function]:
        """
        Register a function. Its docstring's first line is the endpoint's summary, the rest its description.

        Args:
            method: In capitals.
            path: With `<name>` where a parameter stands.
            needs: The role that it takes; None: anybody may.
            tag: The chapter of the documentation that it belongs to.
            status: Of the answer, unless the function returns a `Response`.
            takes: The media type of a body.
            is_documented: Whether it is in the OpenAPI document; pages are not.
        """

        def register(function: Function) -> Function:
            summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
            template = re.sub("<(.*?)>", r"{\1}", path)
            self.endpoints.append(
                Endpoint(method=method, path=template, needs=needs, query=_query_of(function), takes=takes)
            )
            self.resolver.route(
                path,
                method,
                summary=summary,
                description=description or None,
                tags=[tag],
                operation_id=function.__name__,
                include_in_schema=is_documented,
                security=[{}] if needs is None else [{"token": [needs.value]}],
                status_code=status,
            )(function)
            return function

        return register

    def here(self) -> Endpoint:
        """
        Return the endpoint that the current request is for.

        Raises:
            ProblemError: There is none: 404, or 405 if the path has other methods.
        """
        request = self.resolver.request
        for one in self.endpoints:
            if (one.method, one.path) == (request.method, request.route):
                return one
        path = self.resolver.current_event.path
        found = [one for one in self.endpoints if one.path == path] or [
            one for one in self.endpoints if _matches(one.path, path)
        ]
        others = sorted({one.method for one in found})
        if not others or request.method in others:  # the resolver takes no path that no name could be in
            raise ProblemError(
                Problem(
                    status=HTTPStatus.NOT_FOUND, kind="no-such-path", detail=f"nothing is at {path}; see /openapi.json"
                )
            )
        allowed = ", ".join(others)
        raise ProblemError(
            Problem(
                status=HTTPStatus.METHOD_NOT_ALLOWED,
                kind="method-not-allowed",
                detail=f"{request.method} is not for {path}, which takes {allowed}",
                headers={"Allow": allowed},
            )
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
            Problem(
                status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                kind="unsupported-media-type",
                detail=f"the body must be {takes}, and its Content-Type says {shown}",
            )
        )
    try:
        body = event.decoded_body or ""
        size = len(body.encode())
    except ValueError:
        raise ProblemError(
            Problem(status=HTTPStatus.BAD_REQUEST, kind="malformed-json", detail="the body is not text in UTF-8")
        ) from None
    if size > LARGEST_BODY:
        raise ProblemError(
            Problem(
                status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                kind="too-large",
                detail=f"the body is {size:,} bytes, over the limit of {LARGEST_BODY:,}; send it in several requests",
            )
        )


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\{.*?\\}", "[^/]+", re.escape(template)), path) is not None


def _query_of(function: Callable[..., Any]) -> tuple[str, ...]:
    names: list[str] = []
    parameters: Mapping[str, inspect.Parameter] = inspect.signature(function, eval_str=True).parameters
    for name, parameter in parameters.items():
        annotated, *marks = get_args(parameter.annotation) or (None,)
        query = next((mark for mark in marks if isinstance(mark, Query)), None)
        if query is None:
            continue
        if isinstance(annotated, type) and issubclass(annotated, BaseModel):
            names += [field.alias or own for own, field in annotated.model_fields.items()]
        else:
            names.append(query.alias or name)
    return tuple(names)
