"""A browser, and the dashboard under a prefix as an emulator serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIServer

import pytest

from tests.browser.scene import a_scene
from tests.support.browser import Stage, Visitor, chromium, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from lanework import App


@pytest.fixture(scope="session", name="browser")
def a_browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session", name="server")
def a_server() -> Iterator[WSGIServer]:
    with serving() as server:
        yield server


@pytest.fixture(scope="session", name="counted")
def a_counted_scene() -> App:
    """Return a scene with a day's numbers; tests that change something have one of their own."""
    return a_scene(is_counted=True)


@pytest.fixture(name="stage")
def a_stage(server: WSGIServer) -> Stage:
    stage = Stage(server, a_scene())
    stage.set(stage.app)
    return stage


@pytest.fixture(name="visitor")
def a_visitor(browser: Browser, stage: Stage, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    options: dict[str, Any] = getattr(request, "param", {"viewport": {"width": 1280, "height": 860}})
    context = browser.new_context(**options)
    context.set_default_timeout(20_000)
    visitor = Visitor(context.new_page(), stage)
    visitor.page.on("console", visitor.has_seen)
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    context.on("request", visitor.has_asked)
    yield visitor
    context.close()
