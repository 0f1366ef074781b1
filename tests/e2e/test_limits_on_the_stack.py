"""Limits and delays on the embedded stack, measured from the outside: by the server that the jobs call."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lanework import State
from lanework.engine.jobtypes.request import request_of
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import embedded_stack
from tests.support.ports import free_port
from tests.support.projects import a_project, application_on
from tests.support.rights import UNDER_IAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.local.stack.embedded import RunningStack

ROOT = Path(__file__).parents[2]

JOBS = 200
AT_ONCE = 3
STARTS, WINDOW = 20, timedelta(seconds=2)
TAKES = timedelta(seconds=0.25)

CODE = f"""
import urllib.request
from datetime import timedelta
from pydantic import BaseModel
from lanework import App, Jobs, Rate, Run

partner = Jobs(queue="partner", lane="high", attempts=2)

class Call(BaseModel):
    url: str

@partner.job("partner.call", concurrency={AT_ONCE}, rate=Rate({STARTS}, per=timedelta(seconds={WINDOW.seconds})))
def call(order: Call, run: Run) -> None:
    with urllib.request.urlopen(f"{{order.url}}/{{run.job_id}}") as answer:
        answer.read()

app = App(partner)
"""


class Partner(ThreadingHTTPServer):
    """
    The other side of the jobs: takes a quarter of a second for each call, and counts.

    Attributes:
        calls: Which job called, and when, on this process's own clock.
        most: How many were being served at once, at most.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.calls: list[tuple[float, str]] = []
        self.most = 0
        self._open = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def serve(self, job_id: str) -> None:
        with self._lock:
            self.calls.append((time.monotonic(), job_id))
            self._open += 1
            self.most = max(self.most, self._open)
        threading.Event().wait(TAKES.total_seconds())
        with self._lock:
            self._open -= 1

    def most_within(self, window: timedelta) -> int:
        """Return the most calls that any window holds."""
        moments = [at for at, _ in self.calls]
        return max(sum(1 for other in moments if at <= other < at + window.total_seconds()) for at in moments)


class _Answer(BaseHTTPRequestHandler):
    server: Partner

    def do_GET(self) -> None:
        self.server.serve(self.path.lstrip("/"))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def partner() -> Iterator[Partner]:
    server = Partner()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


LOOK_AHEAD_S = 10


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack that leaves to the sweep what starts in more than ten seconds."""
    project = a_project(tmp_path_factory.mktemp("paced") / "shop", CODE)
    file = project.root / "template.yaml"
    template = file.read_text()
    assert "Default: 900" in template
    file.write_text(template.replace("Default: 900", f"Default: {LOOK_AHEAD_S}"))
    with embedded_stack(project, port=free_port(), checks_rights=UNDER_IAM) as running:
        yield running


def test_two_hundred_jobs_never_call_more_often_or_more_at_once_than_the_other_side_allows(
    stack: RunningStack, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = application_on(stack, monkeypatch, look_ahead_s=LOOK_AHEAD_S)
    call = app.registry.get("partner.call")
    receipts = app.enqueue_many(
        request_of(call, {"url": partner.url}, {"job_id": f"call-{number}"}) for number in range(JOBS)
    )

    wait_for(lambda: len(partner.calls) >= JOBS, within=timedelta(seconds=240), what="200 calls")

    assert partner.most <= AT_ONCE
    assert partner.most_within(WINDOW) <= STARTS
    assert Counter(job_id for _, job_id in partner.calls) == Counter(one.job_id for one in receipts)
    last = partner.calls[-1][1]
    wait_for(lambda: app.get(last).state is State.COMPLETED, within=timedelta(seconds=10), what="the last outcome")
    assert {app.get(one.job_id).attempts for one in receipts} == {1}, "waiting costs no attempt"


def test_a_delay_beyond_the_look_ahead_crosses_the_real_tick_and_is_kept(
    stack: RunningStack, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = application_on(stack, monkeypatch, look_ahead_s=LOOK_AHEAD_S)
    receipt = app.enqueue("partner.call", {"url": partner.url}, delay=timedelta(seconds=20))
    scheduled = app.get(receipt.job_id)
    assert (scheduled.state, scheduled.sweep_at) == (State.SCHEDULED, scheduled.created_at + timedelta(seconds=20))

    wait_for(lambda: len(partner.calls) == 1, within=timedelta(seconds=120), what="the tick to send it")

    wait_for(lambda: app.get(receipt.job_id).state is State.COMPLETED, within=timedelta(seconds=10), what="its outcome")
    started = app.get(receipt.job_id).started_at
    assert started is not None
    assert started >= scheduled.run_at


PRODUCER = """
import sys
from jobs import app
print(app.enqueue("partner.call", {"url": sys.argv[1]}, job_id="from-a-script").job_id)
"""


def test_a_script_in_the_projects_folder_finds_the_stack_without_being_told_of_it(
    stack: RunningStack, partner: Partner
) -> None:
    """Whatever account the user's profile is for: nothing of it is read."""
    root = stack.deployer.project.root
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANEWORK_"))}
    environment = {**plain, "AWS_PROFILE": "production", "PYTHONPATH": str(root / "shared")}

    script = subprocess.run(
        [sys.executable, "-c", PRODUCER, partner.url],
        cwd=root / "handlers",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (script.stdout, script.returncode) == ("from-a-script\n", 0), script.stderr
    wait_for(lambda: len(partner.calls) == 1, within=timedelta(seconds=30), what="its job's call")
