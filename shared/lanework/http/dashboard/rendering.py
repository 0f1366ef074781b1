"""What every page has in common: its frame, who looks at it, what the last action did, and how an action answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, wraps
from hashlib import sha256
from http import HTTPStatus
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import Response

from lanework.engine.queries.jobs import ran_for, waited
from lanework.engine.sla.late_starts import Within
from lanework.errors import LaneworkError
from lanework.http.auth.check import CALLER
from lanework.http.auth.sessions import leaving, left, root_of
from lanework.http.auth.tokens import Role
from lanework.http.dashboard.words import FILTERS
from lanework.http.endpoints import Endpoints, endpoint
from lanework.http.forms import FORM, Form
from lanework.http.problems import problem_of
from lanework.model.lanes import LANES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_lambda_powertools.shared.cookies import Cookie

    from lanework.http.auth.check import Caller
    from lanework.http.endpoints import Function
    from lanework.http.problems import Problem

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


class Pages(Endpoints):
    """Renders pages for whoever asks, and answers their actions."""

    tag = "Pages"

    def show(self, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response[str]:
        """
        Return a page. Its template also gets who looks, the way to the root, the last note, and the filters' choices.

        Args:
            template: Its file's name.
            status: Of the answer.
            **values: What it shows.
        """
        event = self.event
        caller: Caller | None = self.routes.resolver.context.get(CALLER)
        note, cookies = left(event) if caller is not None else (None, ())
        known: dict[str, object] = {
            "root": root_of(event),
            "path": event.path.strip("/"),
            "static": f"{root_of(event)}static/{version()}/",
            "now": self.app.ports.clock(),
            "who": caller,
            "may_act": caller is not None and caller.session is not None and caller.role.may(Role.ADMIN),
            "note": note,
            "tabs": TABS,
            "lanes": self.app.ports.stack_lanes,
            "LANES": LANES,
            "queues": self.app.registry.queues,
            "types": [one.name for one in self.app.registry.types],
            "withins": tuple(Within),
        }
        body = _environment().get_template(template).render({**known, **values})
        body = body.encode(errors="replace").decode()  # a lone surrogate in what a job said is no text
        return Response(status_code=status, content_type=HTML, body=body, cookies=list(cookies))

    def see(self, path: str, note: str | None = None, *, cookies: Sequence[Cookie] = ()) -> Response[str]:
        """Send the browser to another page, from the root; the note says there what an action did."""
        left_note = () if note is None else (leaving(note, self.event),)
        headers: dict[str, Any] = {"Location": f"{root_of(self.event)}{path}"}
        return Response(HTTPStatus.SEE_OTHER, body="", headers=headers, cookies=[*cookies, *left_note])

    @property
    def form(self) -> Form:
        """The form that was sent."""
        return Form.of(self.event)

    def problem(self, problem: Problem) -> Response[str]:
        """Return what went wrong as a page."""
        return self.show("problem.html", status=problem.status, problem=problem)


def page(path: str, needs: Role | None = Role.VIEWER) -> Callable[[Function], Function]:
    """Let a method of `Pages` show a page; of the role None, to anybody."""
    return endpoint("GET", path, needs, is_documented=False)


def form(path: str, needs: Role | None = Role.ADMIN) -> Callable[[Function], Function]:
    """Let a method of `Pages` answer a page's form."""
    return endpoint("POST", path, needs, takes=FORM, is_documented=False)


def action(path: str, *, then: str) -> Callable[[Callable[..., str]], Callable[..., Response[str]]]:
    """
    Let a method of `Pages` do what a page's form asks for, and return what it did, in a sentence.

    Args:
        path: As of `endpoint`.
        then: The page that says it, or why it couldn't be done, from the root; with the path's parameters.
    """

    def mark(act: Callable[..., str]) -> Callable[..., Response[str]]:
        @wraps(act)
        def answer(pages: Pages, **values: str) -> Response[str]:
            try:
                note = act(pages, **values)
            except LaneworkError as error:
                problem = problem_of(error, now=pages.app.ports.clock())
                if problem is None:
                    raise
                note = f"Nothing was changed: {problem.detail}."
            return pages.see(then.format(**values), note)

        shown = signature(act, eval_str=True).replace(return_annotation=Response[str])
        answer.__signature__ = shown  # type: ignore[attr-defined]
        return form(path)(answer)

    return mark


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
