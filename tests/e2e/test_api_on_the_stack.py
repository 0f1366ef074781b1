"""The API and the dashboard as the template deploys them: `lanework dev --demo`, and requests over HTTP."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest

from lanework.local.emulator.process import wait_for
from tests.support.developing import Dev, a_copy, developing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SOON = timedelta(seconds=60)


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(slots=True)
class Visitor:
    """
    Somebody who knows what `lanework dev` has said.

    Attributes:
        root: The dashboard's address.
        token: An admin's token.
        cookie: The browser's session.
    """

    root: str
    token: str
    cookie: str = ""
    opener: Any = field(default_factory=lambda: build_opener(_Stay))

    def send(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Mapping[str, str], str]:
        request = Request(f"{self.root}{path}", data=body, headers=headers)  # noqa: S310 - loopback
        try:
            answer = self.opener.open(request, timeout=60)
        except HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read().decode()

    def ask(self, path: str, body: object = None) -> tuple[int, Any]:
        """Send a request with the token, as a program does."""
        sent = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"}
        status, _, text = self.send(path, sent, Authorization=f"Bearer {self.token}", **kind)
        return status, json.loads(text)

    def look(self, path: str) -> str:
        """Open a page, as a browser with a session does."""
        status, _, text = self.send(path, Accept="text/html", Cookie=self.cookie)
        assert status == 200, text
        return text

    def press(self, path: str, **fields: str) -> str:
        """Send a form, and return where the browser is sent to."""
        csrf = re.search(r'name="csrf" value="(\w+)"', self.look(""))
        assert csrf is not None
        form = urlencode({"csrf": csrf[1], **fields}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, headers, text = self.send(path, form, Accept="text/html", Cookie=self.cookie, **kind)
        assert status == 303, text
        return headers["Location"]


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    folder: Path = tmp_path_factory.mktemp("api") / "shop"
    with developing(a_copy(folder), "--demo") as running:
        yield running
        running.stop(signal.SIGTERM)  # heeded also where the suite runs in the background of a shell


@pytest.fixture(scope="module")
def visitor(dev: Dev) -> Visitor:
    said = re.search(r"The dashboard: (\S+)\s+its token.*: (\S+)", dev.log.read_text())
    assert said is not None
    return Visitor(said[1], said[2])


def test_dev_greets_with_a_dashboard_that_has_something_to_show(visitor: Visitor) -> None:
    status, headers, _ = visitor.send("", Accept="text/html")
    assert (status, headers["Location"]) == (303, "./login")

    form = urlencode({"token": visitor.token}).encode()
    status, headers, _ = visitor.send("login", form, **{"Content-Type": "application/x-www-form-urlencoded"})
    assert (status, headers["Location"]) == (303, "./")
    assert "HttpOnly; SameSite=Strict" in headers["Set-Cookie"]
    visitor.cookie = headers["Set-Cookie"].partition(";")[0]

    wait_for(lambda: "demo.doomed" in visitor.look("dead"), within=SOON, what="a death on the page of dead letters")
    wait_for(lambda: "late" in visitor.look("") or "dead" in visitor.look(""), within=SOON, what="numbers")
    assert "user.otp" in visitor.look("jobs")
    assert "cleanup.expired-tokens" in visitor.look("schedules")
    assert "text/css" in visitor.send(re.findall(r'href="./(static/[^"]+css)"', visitor.look(""))[0])[1]["Content-Type"]


def test_a_job_is_enqueued_and_followed_over_http(visitor: Visitor) -> None:
    status, receipt = visitor.ask("api/jobs", {"type": "demo.greet", "payload": {"name": "Bat"}, "jobId": "greet@http"})
    assert (status, receipt["jobId"]) == (202, "greet@http")

    def is_over() -> bool:
        return bool(visitor.ask("api/jobs/greet@http")[1]["status"] == "completed")

    wait_for(is_over, within=SOON, what="the job to end")
    assert visitor.ask("api/jobs/greet@http")[1]["result"] == "Hello, Bat!"
    assert visitor.ask("api/jobs/test/otp", {})[0] == 202
    status, problem = visitor.ask("api/jobs", {"type": "demo.great"})
    assert (status, "did you mean" in problem["detail"]) == (400, True)
    assert visitor.send("api/jobs")[0] == 401


def test_an_action_of_the_dashboard_changes_the_stack(visitor: Visitor) -> None:
    assert visitor.press("limits/pause", queue="demo") == "../limits"
    assert visitor.ask("api/jobs/pauses")[1]["paused"] == ["queue:demo"]
    assert "Paused: queue:demo" in visitor.look("")

    assert visitor.press("limits/resume", queue="demo") == "../limits"
    assert visitor.ask("api/jobs/pauses")[1]["paused"] == []


def test_every_service_that_the_api_calls_lets_it(visitor: Visitor) -> None:
    for path in ("api/stats", "api/jobs/metrics", "api/sla", "api/costs", "api/v1/jobs/queues", "api/admin/dlq/groups"):
        assert visitor.ask(path)[0] == 200, path
    daily = {"type": "demo.greet", "payload": {"name": "Bat"}, "cron": "0 9 * * *"}
    request = Request(  # noqa: S310 - loopback
        f"{visitor.root}api/schedules/greet-daily",
        data=json.dumps(daily).encode(),
        method="PUT",
        headers={"Authorization": f"Bearer {visitor.token}", "Content-Type": "application/json"},
    )
    with visitor.opener.open(request, timeout=60) as answer:
        assert json.load(answer)["source"] == "dynamic"
