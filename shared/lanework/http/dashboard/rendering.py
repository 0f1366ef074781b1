"""What every page has in common: its frame, who looks at it, what the last action did, and how an action answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import Response

from lanework.engine.queries.jobs import ran_for, waited
from lanework.errors import LaneworkError
from lanework.http.auth.check import CALLER
from lanework.http.auth.sessions import leaving, left, root_of
from lanework.http.auth.tokens import Role
from lanework.http.dashboard.words import FILTERS
from lanework.http.problems import problem_of
from lanework.model.lanes import LANES, Lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.app import App
    from lanework.http.auth.check import Caller
    from lanework.http.problems import Problem
    from lanework.http.routing import Routes

TAG: Final = "Pages"

_HTTP: Final = Path(__file__).parents[1]

HTML: Final = "text/html; charset=utf-8"

TABS: Final = (
    ("", "Overview"),
    ("jobs", "Jobs"),
    ("dead", "Dead letters"),
    ("workflows", "Workflows"),
    ("schedules", "Schedules"),
    ("limits", "Limits"),
    ("cost", "Cost"),
)
"""Where each page is, and what it is called."""

FILES: Final[Mapping[str, str]] = {
    "pages.css": "text/css; charset=utf-8",
    "pages.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Files that pages use, and what they are."""


class Pages:
    """Renders pages for whoever asks, and answers their actions."""

    def __init__(self, routes: Routes, app: App) -> None:
        self._routes = routes
        self._app = app

    def show(self, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response[str]:
        """
        Return a page. Its template also gets who looks, the way to the root, the time, and the last action's note.

        Args:
            template: Its file's name.
            status: Of the answer.
            **values: What it shows.
        """
        event = self._routes.resolver.current_event
        caller: Caller | None = self._routes.resolver.context.get(CALLER)
        note, cookies = left(event) if caller is not None else (None, ())
        known: dict[str, object] = {
            "root": root_of(event),
            "path": event.path.strip("/"),
            "static": f"{root_of(event)}static/{version()}/",
            "now": self._app.ports.clock(),
            "who": caller,
            "may_act": caller is not None and caller.session is not None and caller.role.may(Role.ADMIN),
            "note": note,
            "tabs": TABS,
            "lanes": tuple(Lane),
            "LANES": LANES,
        }
        body = _environment().get_template(template).render({**known, **values})
        body = body.encode(errors="replace").decode()  # a lone surrogate in what a job said is no text
        return Response(status_code=status, content_type=HTML, body=body, cookies=list(cookies))

    def done(self, note: str, path: str) -> Response[str]:
        """
        Return the answer to an action: another page, which tells what it did.

        Args:
            note: What it did, in a sentence.
            path: Which page, from the root.
        """
        return self.see(path, note=note)

    def see(self, path: str, *, note: str | None = None) -> Response[str]:
        """Send the browser to another page, from the root; with a note, it tells that."""
        event = self._routes.resolver.current_event
        return Response(
            status_code=HTTPStatus.SEE_OTHER,
            headers={"Location": f"{root_of(event)}{path}"},
            cookies=[] if note is None else [leaving(note, event)],
            body="",
        )

    def trying(self, act: Callable[[], str], path: str) -> Response[str]:
        """
        Do what an action asks for, and tell on a page what it did, or why it couldn't.

        Args:
            act: Does it, and returns what it did.
            path: The page, from the root.
        """
        try:
            return self.done(act(), path)
        except LaneworkError as error:
            problem = problem_of(error, now=self._app.ports.clock())
            if problem is None:
                raise
            return self.done(f"Nothing was changed: {problem.detail}.", path)

    def problem(self, problem: Problem) -> Response[str]:
        """Return what went wrong as a page."""
        return self.show("problem.html", status=problem.status, problem=problem)


@cache
def version() -> str:
    """Return what stands for the content of the files that pages use, so that browsers may keep them for good."""
    return sha256("".join(text_of("static", name) for name in FILES).encode()).hexdigest()[:12]


def text_of(folder: str, name: str) -> str:
    """Return a file of this package."""
    return (_HTTP / folder / name).read_text(encoding="utf-8")


@cache
def _environment() -> Any:  # noqa: ANN401 - jinja2 loads at the first page
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FunctionLoader(lambda name: text_of("templates", name)),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(ran_for=ran_for, waited=waited)
    return environment
