"""The bus is told of each transition, whoever is killed once it is written: on the embedded stack."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lanework import App, Cause, State
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import embedded_stack
from tests.support.orders import CODE
from tests.support.ports import free_port
from tests.support.projects import a_project, application_on
from tests.support.rights import UNDER_IAM
from tests.support.watched_bus import WatchedBus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.local.stack.embedded import RunningStack

ROOT = Path(__file__).parents[2]
SOON = timedelta(seconds=60)
BUS = "made-later"


DIES_ONCE = """

import os, signal
from pathlib import Path

put = handler

def handler(event, context):
    answer = put(event, context)
    if not Path({marker!r}).exists():
        Path({marker!r}).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
"""
"""The function is killed after its first batch was put, before it could say so."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("told")
    project = a_project(folder / "shop", CODE)
    with (project.root / "handlers" / "stream.py").open("a") as code:
        code.write(DIES_ONCE.format(marker=str(folder / "has-died")))
    parameters = {"EventsToBus": "all", "EventBus": BUS}
    with embedded_stack(project, port=free_port(), parameters=parameters, checks_rights=UNDER_IAM) as running:
        yield running


@pytest.fixture(name="app")
def an_app(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> App:
    return application_on(stack, monkeypatch)


def kill_who_does(what: str, job_id: str, stack: RunningStack) -> None:
    """Let a process do something to a job, and be killed right after its write."""
    where = [str(stack.deployer.project.root), stack.handle.endpoint, stack.handle.stack]
    command = [sys.executable, "-m", "tests.support.mortal", *where, what, job_id]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}"}, check=False)
    assert done.returncode == -signal.SIGKILL


def is_logged(stack: RunningStack, text: str) -> bool:
    """Tell whether the function behind the stream has said something."""
    group = f"/aws/lambda/{stack.handle.stack}-events"
    return any(text in one["message"] for one in stack.clients.logs.filter_log_events(logGroupName=group)["events"])


def test_every_transition_is_told_under_one_id_though_who_made_it_and_who_told_it_was_killed(
    stack: RunningStack, app: App
) -> None:
    kill_who_does("enqueue", "never-sent", stack)
    kill_who_does("cancel", "never-sent", stack)
    child = app.request("order.take", {}, job_id="child", after=["parent"], on_failure="die")
    app.enqueue_many([app.request("order.refuse", {}, job_id="parent"), child])
    wait_for(lambda: app.get("child").state is State.DEAD, within=SOON, what="the child to die of its parent")
    kill_who_does("drop", "parent", stack)
    wait_for(lambda: is_logged(stack, f"no bus {BUS}"), within=SOON, what="the function to miss its bus")

    bus = WatchedBus(stack, make=BUS)

    expected = {
        *(("never-sent", f"job.{what}") for what in ("enqueued", "cancelled")),
        *(("parent", f"job.{what}") for what in ("enqueued", "started", "dead", "cancelled")),
        *(("child", f"job.{what}") for what in ("enqueued", "dead")),
    }
    wait_for(lambda: expected <= {*bus.transitions()}, within=SOON, what="everything on the bus")
    wait_for(
        lambda: len({*bus.transitions()}) < len(bus.seen),
        within=SOON,
        what="what the killed function put, again",
    )
    assert {*bus.transitions()} == expected
    told = {(one["jobId"], one["type"], one["id"]) for one in bus.seen}
    assert len(told) == len({event_id for *_, event_id in told}) == len(expected), "each has one id, the same each time"
    causes = {one["cause"] for one in bus.seen if (one["jobId"], one["type"]) == ("child", "job.dead")}
    assert causes == {Cause.PARENT_FAILED}
