"""All pages; here the way in and out for browsers, the API's documentation for people, and the files that pages use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from lanework.app import App
from lanework.http.auth.sessions import Sessions, closing, comes_from_elsewhere, opening, session_of
from lanework.http.auth.tokens import Role, Tokens
from lanework.http.dashboard.deadletters import DeadLetterPages
from lanework.http.dashboard.jobs import JobPages
from lanework.http.dashboard.limits import LimitPages
from lanework.http.dashboard.overview import OverviewPages
from lanework.http.dashboard.rendering import FILES, Pages, form, page, text_of, version
from lanework.http.dashboard.schedules import SchedulePages
from lanework.http.dashboard.workflows import WorkflowPages
from lanework.http.openapi import document_of
from lanework.http.problems import ProblemError
from lanework.http.routing import Routes

_FOR_GOOD: Final = "public, max-age=31536000, immutable"


class EntryPages(Pages):
    """Lets browsers in and out, shows the API's documentation, gives files."""

    def __init__(self, routes: Routes, app: App, tokens: Callable[[], Tokens]) -> None:
        super().__init__(routes, app)
        self.tokens = tokens
        self.sessions = Sessions(app)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return document_of(self.routes.resolver)

    @page("/openapi.json")
    def get_document(self) -> Response[Any]:
        """Give the OpenAPI document."""
        return Response(status_code=HTTPStatus.OK, content_type="application/json", body=self.document)

    @page("/docs")
    def get_docs(self) -> Response[str]:
        """Show the OpenAPI document to people."""
        return self.show("docs.html", document=self.document)

    @page("/login", None)
    def get_login(self) -> Response[str]:
        """Ask for a token."""
        return self.show("login.html", problem=None)

    @form("/login", None)
    def log_in(self) -> Response[str]:
        """Trade a token for a session."""
        event = self.event
        if comes_from_elsewhere(event):  # it would log a browser in as somebody else
            raise ProblemError(HTTPStatus.FORBIDDEN, "wrong-origin", "this request comes from a page of another origin")
        token = self.form.one("token") or ""
        if self.tokens().role_of_token(token) is None:
            problem = "This token is not accepted."
            return self.show("login.html", status=HTTPStatus.UNAUTHORIZED, problem=problem)
        self.sessions.end(session_of(event))
        return self.see("", cookies=[opening(self.sessions.open(token), event)])

    @form("/logout", Role.VIEWER)
    def log_out(self) -> Response[str]:
        """End the browser's session, and every copy of its cookie."""
        self.sessions.end(session_of(self.event))
        return self.see("login", cookies=[closing(self.event)])

    @page("/static/{shown}/{name}", None)
    def get_file(self, shown: Annotated[str, Path()], name: Annotated[str, Path()]) -> Response[str]:
        """Give a file that pages use; under the version that it has, browsers may keep it."""
        content_type = FILES.get(name)
        if content_type is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no-such-path", f"no file {name!r}")
        headers: dict[str, Any] = {"Cache-Control": _FOR_GOOD} if shown == version() else {}
        return Response(HTTPStatus.OK, content_type, text_of("static", name), headers)


def add_pages(routes: Routes, app: App, tokens: Callable[[], Tokens]) -> Pages:
    """Register every page, after the endpoints that the documentation tells of; return what renders them."""
    entry = EntryPages(routes, app, tokens)
    entry.register()
    for pages in (OverviewPages, JobPages, DeadLetterPages, WorkflowPages, SchedulePages, LimitPages):
        pages(routes, app).register()
    return entry
