"""The pages of the API itself: the way in and out for browsers, and its documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.shared.cookies import Cookie

from lanework.http.access import CALLER
from lanework.http.problems import Problem, ProblemError
from lanework.http.routing import FORM, Routes
from lanework.http.sessions import closing, comes_from_elsewhere, login_token, opening, root_of
from lanework.http.tokens import Role, Tokens

TAG: Final = "Pages"

_STATIC: Final[Mapping[str, str]] = {"pages.css": "text/css; charset=utf-8"}
"""Files that are served, and what they are."""

_HTML: Final = "text/html; charset=utf-8"


def add_to(routes: Routes, tokens: Callable[[], Tokens], document: Callable[[], dict[str, Any]]) -> None:
    """
    Register them.

    Args:
        routes: Where to.
        tokens: Gives the tokens that are accepted.
        document: Gives the OpenAPI document.
    """

    @routes.add("GET", "/openapi.json", Role.VIEWER, tag=TAG, is_documented=False)
    def get_document() -> Response[Any]:
        """Give the OpenAPI document."""
        return Response(status_code=HTTPStatus.OK, content_type="application/json", body=document())

    @routes.add("GET", "/docs", Role.VIEWER, tag=TAG, is_documented=False)
    def get_docs() -> Response[str]:
        """Show the OpenAPI document to people."""
        return _page(routes, "docs.html", document=document(), caller=routes.resolver.context[CALLER])

    @routes.add("GET", "/login", None, tag=TAG, is_documented=False)
    def get_login() -> Response[str]:
        """Ask for a token."""
        return _page(routes, "login.html", problem=None)

    @routes.add("POST", "/login", None, tag=TAG, takes=FORM, is_documented=False)
    def log_in() -> Response[str]:
        """Trade a token for a session."""
        event = routes.resolver.current_event
        _refuse_others(routes)
        token = login_token(event)
        if tokens().role_of_token(token) is None:
            return _page(routes, "login.html", status=HTTPStatus.UNAUTHORIZED, problem="This token is not accepted.")
        return _see("docs", routes, cookie=opening(token, event))

    @routes.add("POST", "/logout", Role.VIEWER, tag=TAG, takes=FORM, is_documented=False)
    def log_out() -> Response[str]:
        """End the browser's session."""
        return _see("login", routes, cookie=closing(routes.resolver.current_event))

    @routes.add("GET", "/static/<name>", None, tag=TAG, is_documented=False)
    def get_file(name: Annotated[str, Path()]) -> Response[str]:
        """Give a file that pages use."""
        content_type = _STATIC.get(name)
        if content_type is None:
            raise ProblemError(Problem(status=HTTPStatus.NOT_FOUND, kind="no-such-path", detail=f"no file {name!r}"))
        return Response(status_code=HTTPStatus.OK, content_type=content_type, body=_text("static", name))


def _page(routes: Routes, name: str, *, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response[str]:
    html = _environment().get_template(name).render(root=root_of(routes.resolver.current_event), **values)
    return Response(status_code=status, content_type=_HTML, body=html)


def _see(path: str, routes: Routes, *, cookie: Cookie) -> Response[str]:
    location = f"{root_of(routes.resolver.current_event)}{path}"
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": location}, cookies=[cookie], body="")


def _refuse_others(routes: Routes) -> None:
    """Refuse what another origin's page sent: it would log a browser in as somebody else."""
    if comes_from_elsewhere(routes.resolver.current_event):
        detail = "a page of another origin sent this"
        raise ProblemError(Problem(status=HTTPStatus.FORBIDDEN, kind="wrong-origin", detail=detail))


@cache
def _environment() -> Any:  # noqa: ANN401 - jinja2 loads at the first page
    from jinja2 import Environment, FunctionLoader  # noqa: PLC0415

    return Environment(loader=FunctionLoader(lambda name: _text("templates", name)), autoescape=True)


def _text(folder: str, name: str) -> str:
    return (files("lanework.http") / folder / name).read_text(encoding="utf-8")
