"""The page of schedules: when each fires next, what became of its last run, run now, pause."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from lanework.app import App
from lanework.http.dashboard.rendering import TAG, Pages
from lanework.http.forms import FORM
from lanework.http.routing import Routes
from lanework.http.tokens import Role

TICKS = 5

Name = Annotated[str, Path()]


def add_to(routes: Routes, pages: Pages, app: App) -> None:
    """Register them."""

    @routes.add("GET", "/schedules", Role.VIEWER, tag=TAG, is_documented=False)
    def schedules_page() -> Response[str]:
        """Show every schedule."""
        now = app.ports.clock()
        listed = app.schedules.list()
        upcoming = {
            one.record.schedule.name: tuple(islice(one.record.schedule.timetable.after(now), TICKS)) for one in listed
        }
        return pages.show("schedules.html", listed=listed, upcoming=upcoming)

    @routes.add("POST", "/schedules/<name>/run", Role.ADMIN, tag=TAG, takes=FORM, is_documented=False)
    def run_on_page(name: Name) -> Response[str]:
        """Enqueue a schedule's job now."""
        return pages.trying(lambda: f"Enqueued {app.schedules.run(name).job_id}.", "schedules")

    @routes.add("POST", "/schedules/<name>/pause", Role.ADMIN, tag=TAG, takes=FORM, is_documented=False)
    def pause_schedule_on_page(name: Name) -> Response[str]:
        """Let a schedule fire no more."""

        def pause() -> str:
            app.schedules.pause(name)
            return f"Paused: {name} fires no more. Jobs that it has enqueued run."

        return pages.trying(pause, "schedules")

    @routes.add("POST", "/schedules/<name>/resume", Role.ADMIN, tag=TAG, takes=FORM, is_documented=False)
    def resume_schedule_on_page(name: Name) -> Response[str]:
        """Let a schedule fire again."""

        def resume() -> str:
            app.schedules.resume(name)
            return f"Resumed: {name} fires again, from now. What the pause held up is not caught up with."

        return pages.trying(resume, "schedules")
