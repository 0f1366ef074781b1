"""
What the API answers to, in parts. Each is loaded at the first request for one of its paths.

A function that is started for one request would otherwise load all of it, most of which it is never asked for.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.app import App
    from lanework.http.auth.tokens import Tokens
    from lanework.http.dashboard.rendering import Pages
    from lanework.http.endpoints import Endpoints
    from lanework.http.routing import Routes

_OF_PROGRAMS: Final = ("/api/", "/health", "/metrics")


def is_for_programs(path: str) -> bool:
    """Tell whether a path is one that only programs ask for: JSON, and no page."""
    return path.startswith(_OF_PROGRAMS)


class Parts:
    """Registers the part that a path belongs to."""

    def __init__(self, routes: Routes, app: App, tokens: Callable[[], Tokens], *, is_development: bool) -> None:
        """In development there are endpoints to try job types with, too."""
        self._routes = routes
        self._app = app
        self._tokens = tokens
        jobs = (*_PARTS["/"], *(_DEVELOPMENT if is_development else ()))
        self._missing = {**_PARTS, "/": jobs}
        self._pages: Pages | None = None

    def load_for(self, path: str) -> None:
        """Register what a path may be of; one that is of no program's is a page's."""
        if not is_for_programs(path):
            self.pages()
        self._load(next(start for start in _PARTS if path.startswith(start)))

    def pages(self) -> Pages:
        """Return what renders pages. They are registered with all the rest, which the documentation is of."""
        if self._pages is None:
            from lanework.http.dashboard.pages import add_pages  # noqa: PLC0415

            for part in _PARTS:
                self._load(part)
            self._pages = add_pages(self._routes, self._app, self._tokens)
        return self._pages

    def _load(self, part: str) -> None:
        for name in self._missing.pop(part, ()):
            endpoints: type[Endpoints] = resolve_name(f"lanework.http.api.{name}")
            endpoints(self._routes, self._app).register()


_PARTS: Final = {
    "/api/admin/": ("deadletters:DeadLettersApi",),
    "/api/v1/": ("queues:QueuesApi",),
    "/api/schedules": ("schedules:SchedulesApi",),
    "/api/workflows": ("workflows:WorkflowsApi",),
    "/": ("lanes:LanesApi", "stats:StatsApi", "pauses:PausesApi", "jobs:JobsApi"),
}
"""
Which part a path belongs to, by how it begins, the first that fits; and where that part's endpoints are.

A path with a parameter comes after those that it would hide.
"""

_DEVELOPMENT: Final = ("dev_endpoints:DevelopmentApi",)
