"""What the API answers to, by subject: a class of `Endpoints`, whose methods under `endpoint` answer one path each."""

from __future__ import annotations

import inspect
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel

from lanework.http.auth.visibility import Sight
from lanework.http.routing import JSON, Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

    from lanework.app import App
    from lanework.http.auth.tokens import Role
    from lanework.http.routing import Routes

Function = TypeVar("Function", bound="Callable[..., Any]")


class Endpoints:
    """
    The endpoints of one subject.

    Attributes:
        tag: The chapter of the documentation that they belong to.
        routes: Has the request under way.
        app: What they show and steer.
        sight: Shows jobs as the caller may read them.
    """

    tag: ClassVar[str]

    def __init__(self, routes: Routes, app: App) -> None:
        self.routes = routes
        self.app = app
        self.sight = Sight(routes, app)

    @property
    def event(self) -> BaseProxyEvent:
        """The request under way."""
        return self.routes.resolver.current_event

    def register(self) -> None:
        """Register them, as they are written: a path with a parameter stands after those that it would hide."""
        for name, method in vars(type(self)).items():
            if hasattr(method, "endpoint"):
                self.routes.add(method.endpoint, getattr(self, name), tag=self.tag)


def endpoint(
    method: str,
    path: str,
    needs: Role | None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    takes: str = JSON,
    is_documented: bool = True,
) -> Callable[[Function], Function]:
    """
    Let a method of `Endpoints` answer. Its docstring's first line is the endpoint's summary, the rest its description.

    Args:
        method: In capitals.
        path: As OpenAPI writes it, such as `/api/jobs/{job_id}`.
        needs: The role that it takes; None: anybody may.
        status: Of the answer, unless the method returns a `Response`.
        takes: The media type of a body.
        is_documented: Whether it is in the OpenAPI document; pages are not.
    """

    def mark(function: Function) -> Function:
        function.endpoint = Endpoint(  # type: ignore[attr-defined]
            method=method,
            path=path,
            needs=needs,
            query=tuple(_query_of(function)),
            status=status,
            takes=takes,
            is_documented=is_documented,
        )
        return function

    return mark


def _query_of(function: Callable[..., Any]) -> Iterator[str]:
    for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
        annotated, *marks = get_args(parameter.annotation) or (None,)
        query = next((mark for mark in marks if isinstance(mark, Query)), None)
        if query is None:
            continue
        if isinstance(annotated, type) and issubclass(annotated, BaseModel):
            yield from (field.alias or own for own, field in annotated.model_fields.items())
        else:
            yield query.alias or name
