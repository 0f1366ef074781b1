"""The way in and out for browsers, the API's documentation for people, and the files that pages use."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from lanework.http.auth.sessions import (
    Sessions,
    closing,
    comes_from_elsewhere,
    login_token,
    opening,
    root_of,
    session_of,
)
from lanework.http.auth.tokens import Role, Tokens
from lanework.http.dashboard.rendering import FILES, TAG, Pages, text_of, version
from lanework.http.forms import FORM
from lanework.http.problems import Problem, ProblemError
from lanework.http.routing import Routes

_FOR_GOOD: Final = "public, max-age=31536000, immutable"


def add_to(
    routes: Routes,
    pages: Pages,
    tokens: Callable[[], Tokens],
    document: Callable[[], dict[str, Any]],
    sessions: Sessions,
) -> None:
    """
    Register them.

    Args:
        routes: Where to.
        pages: Renders them.
        tokens: Gives the tokens that are accepted.
        document: Gives the OpenAPI document.
        sessions: Those that are open.
    """

    @routes.add("GET", "/openapi.json", Role.VIEWER, tag=TAG, is_documented=False)
    def get_document() -> Response[Any]:
        """Give the OpenAPI document."""
        return Response(status_code=HTTPStatus.OK, content_type="application/json", body=document())

    @routes.add("GET", "/docs", Role.VIEWER, tag=TAG, is_documented=False)
    def get_docs() -> Response[str]:
        """Show the OpenAPI document to people."""
        return pages.show("docs.html", document=document())

    @routes.add("GET", "/login", None, tag=TAG, is_documented=False)
    def get_login() -> Response[str]:
        """Ask for a token."""
        return pages.show("login.html", problem=None)

    @routes.add("POST", "/login", None, tag=TAG, takes=FORM, is_documented=False)
    def log_in() -> Response[str]:
        """Trade a token for a session."""
        event = routes.resolver.current_event
        _refuse_others(routes)
        token = login_token(event)
        if tokens().role_of_token(token) is None:
            problem = "This token is not accepted."
            return pages.show("login.html", status=HTTPStatus.UNAUTHORIZED, problem=problem)
        sessions.end(session_of(event))
        return Response(
            status_code=HTTPStatus.SEE_OTHER,
            headers={"Location": root_of(event)},
            cookies=[opening(sessions.open(token), event)],
            body="",
        )

    @routes.add("POST", "/logout", Role.VIEWER, tag=TAG, takes=FORM, is_documented=False)
    def log_out() -> Response[str]:
        """End the browser's session, and every copy of its cookie."""
        event = routes.resolver.current_event
        sessions.end(session_of(event))
        return Response(
            status_code=HTTPStatus.SEE_OTHER,
            headers={"Location": f"{root_of(event)}login"},
            cookies=[closing(event)],
            body="",
        )

    @routes.add("GET", "/static/<shown>/<name>", None, tag=TAG, is_documented=False)
    def get_file(shown: Annotated[str, Path()], name: Annotated[str, Path()]) -> Response[str]:
        """Give a file that pages use; under the version that it has, browsers may keep it."""
        content_type = FILES.get(name)
        if content_type is None:
            raise ProblemError(Problem(status=HTTPStatus.NOT_FOUND, kind="no-such-path", detail=f"no file {name!r}"))
        headers = {"Cache-Control": _FOR_GOOD} if shown == version() else {}
        return Response(
            status_code=HTTPStatus.OK, content_type=content_type, headers=dict(headers), body=text_of("static", name)
        )


def _refuse_others(routes: Routes) -> None:
    """Refuse what another origin's page sent: it would log a browser in as somebody else."""
    if comes_from_elsewhere(routes.resolver.current_event):
        detail = "a page of another origin sent this"
        raise ProblemError(Problem(status=HTTPStatus.FORBIDDEN, kind="wrong-origin", detail=detail))
