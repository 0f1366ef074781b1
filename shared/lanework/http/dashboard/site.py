"""All pages together. They are loaded at the first request that isn't a program's: most cold starts need none."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from lanework.http.auth.sessions import Sessions
from lanework.http.dashboard import cost, deadletters, jobs, limits, overview, pages, schedules, workflows
from lanework.http.dashboard.rendering import Pages
from lanework.http.openapi import document_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.app import App
    from lanework.http.auth.tokens import Tokens
    from lanework.http.routing import Routes


def add_to(routes: Routes, app: App, tokens: Callable[[], Tokens]) -> Pages:
    """
    Register every page; return what renders them.

    Args:
        routes: Where to, after the endpoints that the documentation tells of.
        app: What they show and steer.
        tokens: Gives the tokens that are accepted.
    """
    shown = Pages(routes, app)
    pages.add_to(routes, shown, tokens, cache(lambda: document_of(routes.resolver)), Sessions(app))
    overview.add_to(routes, shown, app)
    jobs.add_to(routes, shown, app)
    deadletters.add_to(routes, shown, app)
    workflows.add_to(routes, shown, app)
    schedules.add_to(routes, shown, app)
    limits.add_to(routes, shown, app)
    cost.add_to(routes, shown, app)
    return shown
