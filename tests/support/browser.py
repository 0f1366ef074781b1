"""A browser, and the dashboard under a prefix as an emulator serves it."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from playwright.sync_api import sync_playwright

from lanework.http.auth.tokens import Role
from tests.support.gateway import TOKENS, a_client, a_wsgi_application

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

    from lanework import App

PREFIX = "/_aws/execute-api/abc123"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


class _Server(ThreadingMixIn, WSGIServer):
    """Answers one request at a time, as a function does; a connection that a browser opens ahead holds up none."""

    daemon_threads = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._answering = threading.Lock()

    def set_app(self, application: Any) -> None:
        def one_at_a_time(environ: Any, start_response: Any) -> list[bytes]:
            with self._answering:
                return list(application(environ, start_response))

        super().set_app(one_at_a_time)


@dataclass(slots=True)
class Stage:
    """
    A server whose application can be changed.

    Attributes:
        app: What it serves.
    """

    server: WSGIServer
    app: App

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def root(self) -> str:
        return f"{self.origin}{PREFIX}/"

    def set(self, app: App) -> None:
        """Serve an application from now on."""
        self.app = app
        self.server.set_app(a_wsgi_application(a_client(app).handler, prefix=PREFIX))


@dataclass  # without slots: playwright notes its handlers on whose they are
class Visitor:
    """
    Somebody with a browser.

    Attributes:
        page: What they look at.
        complaints: What the browser complained of: errors on the console, requests to other origins.
    """

    page: Page
    stage: Stage
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page of the dashboard."""
        self.page.goto(f"{self.stage.root}{path}")
        return self.page

    def log_in(self, role: Role = Role.ADMIN) -> None:
        self.open("login")
        self.page.get_by_label("Token").fill(TOKENS[role])
        self.page.get_by_role("button", name="Log in").click()

    def note(self) -> str:
        """Return what the page says that the last action did."""
        return self.page.locator("#note").inner_text()

    def has_seen(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def has_asked(self, request: Request) -> None:
        if not request.url.startswith(self.stage.root):
            self.complaints.append(f"a request to {request.url}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the Chromium that is installed."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found is not None, "this wants Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def serving() -> Iterator[WSGIServer]:
    """Serve on loopback what `Stage.set` says."""
    server = make_server("127.0.0.1", 0, lambda *_: [], server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
