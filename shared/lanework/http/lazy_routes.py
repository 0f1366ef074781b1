"""
What the API answers to, in parts. Each is loaded at the first request for one of its paths.

A function that is started for one request would otherwise load all of it, most of which it is never asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.app import App
    from lanework.http.auth.tokens import Tokens
    from lanework.http.dashboard.rendering import Pages
    from lanework.http.routing import Routes

_OF_PROGRAMS: Final = ("/api/", "/health", "/metrics")


def is_for_programs(path: str) -> bool:
    """Tell whether a path is one that only programs ask for: JSON, and no page."""
    return path.startswith(_OF_PROGRAMS)


@dataclass(slots=True, kw_only=True)
class Parts:
    """
    Registers the part that a path belongs to.

    Attributes:
        routes: Where to.
        app: What is steered and shown.
        tokens: Gives the tokens that are accepted.
        is_development: Whether there are endpoints to try job types with.
    """

    routes: Routes
    app: App
    tokens: Callable[[], Tokens]
    is_development: bool
    _loaded: set[Callable[[Parts], None]] = field(default_factory=set)
    _pages: Pages | None = None

    def load_for(self, path: str) -> None:
        """Register what a path may be of; one that is of no program's is a page's."""
        if not is_for_programs(path):
            self.pages()
        for start, load in _PARTS.items():
            if path.startswith(start):
                self._load(load)
                return

    def pages(self) -> Pages:
        """Return what renders pages. They are registered with all the rest, which the documentation is of."""
        if self._pages is None:
            from lanework.http.dashboard import site  # noqa: PLC0415

            for load in _PARTS.values():
                self._load(load)
            self._pages = site.add_to(self.routes, self.app, self.tokens)
        return self._pages

    def _load(self, load: Callable[[Parts], None]) -> None:
        if load not in self._loaded:
            self._loaded.add(load)
            load(self)


def _jobs(to: Parts) -> None:
    """A path with a parameter comes after those that it would hide."""
    from lanework.http.api import dev_endpoints, jobs, lanes, pauses, stats  # noqa: PLC0415

    lanes.add_to(to.routes, to.app)
    stats.add_to(to.routes, to.app)
    pauses.add_to(to.routes, to.app)
    jobs.add_producing(to.routes, to.app)
    jobs.add_reading(to.routes, to.app)
    jobs.add_steering(to.routes, to.app)
    if to.is_development:
        dev_endpoints.add_to(to.routes, to.app)


def _dead_letters(to: Parts) -> None:
    from lanework.http.api import deadletters  # noqa: PLC0415

    deadletters.add_to(to.routes, to.app)


def _queues(to: Parts) -> None:
    from lanework.http.api import queues  # noqa: PLC0415

    queues.add_reading(to.routes, to.app)
    queues.add_steering(to.routes, to.app)


def _schedules(to: Parts) -> None:
    from lanework.http.api import schedules  # noqa: PLC0415

    schedules.add_reading(to.routes, to.app)
    schedules.add_steering(to.routes, to.app)


def _workflows(to: Parts) -> None:
    from lanework.http.api import workflows  # noqa: PLC0415

    workflows.add_reading(to.routes, to.app)
    workflows.add_steering(to.routes, to.app)


_PARTS: Final[dict[str, Callable[[Parts], None]]] = {
    "/api/admin/": _dead_letters,
    "/api/v1/": _queues,
    "/api/schedules": _schedules,
    "/api/workflows": _workflows,
    "/": _jobs,
}
"""Which part a path belongs to, by how it begins; the first that fits."""
