"""The programs of docs/open-message.md in other languages, on the embedded stack: each message is one job that ran."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lanework import App, JobNotFoundError, Lane, State
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import embedded_stack
from tests.support.ports import free_port
from tests.support.projects import a_project, application_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.local.stack.embedded import RunningStack

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / ".venv-languages"
PAGE = ROOT / "docs" / "open-message.md"
SOON = timedelta(seconds=60)

AT_THE_STACK = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n'
"""Version 1 of the AWS CLI doesn't heed AWS_ENDPOINT_URL for SQS."""

JOBS = """
from pydantic import BaseModel

from lanework import App, Jobs

family = Jobs(queue="demo")


class Greeting(BaseModel):
    name: str


@family.job("demo.greet")
def greet(greeting: Greeting) -> str:
    return f"Hello, {greeting.name}!"


app = App(family)
"""


@pytest.fixture(scope="module", name="stack")
def a_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with embedded_stack(a_project(tmp_path_factory.mktemp("shop"), JOBS), port=free_port()) as stack:
        yield stack


@pytest.fixture(name="app")
def an_app(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> App:
    return application_on(stack, monkeypatch)


def program(language: str) -> str:
    """Return the page's program in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return str(found)


def run(stack: RunningStack, *command: str | Path, cwd: Path) -> str:
    """Run a program of another language as one beside the stack; return the id that it printed."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    where = {
        "PATH": f"{PROGRAMS / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "LANEWORK_STACK": stack.handle.stack,
        "AWS_ENDPOINT_URL": stack.handle.endpoint,
        "AWS_REGION": stack.handle.region,
        "AWS_DEFAULT_REGION": stack.handle.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    done = subprocess.run(command, cwd=cwd, env=mine | where, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def completed(app: App, job_id: str) -> object:
    """Return the result of a job, which appears once a worker has received its message."""

    def is_there() -> bool:
        try:
            return app.get(job_id).state is State.COMPLETED
        except JobNotFoundError:
            return False

    wait_for(is_there, within=SOON, what=f"job {job_id}")
    return app.result(job_id, timeout=SOON)


def test_node_enqueues_with_the_aws_sdk_and_twice_is_once(stack: RunningStack, app: App, tmp_path: Path) -> None:
    (tmp_path / "enqueue.mjs").write_text(program("js"))
    (tmp_path / "node_modules").symlink_to(PROGRAMS / "node_modules")

    said = [run(stack, "node", "enqueue.mjs", cwd=tmp_path) for _ in range(2)]

    assert said == ["greeting-from-node"] * 2
    assert completed(app, "greeting-from-node") == "Hello, Ada!"
    wait_for(
        lambda: app.ports.lanes.live(Lane.MEDIUM).waiting + app.ports.lanes.live(Lane.MEDIUM).in_flight == 0,
        within=SOON,
        what="the second message",
    )
    assert app.get("greeting-from-node").attempts == 1


def test_a_shell_enqueues_with_the_aws_cli_under_the_id_that_sqs_answers(
    stack: RunningStack, app: App, tmp_path: Path
) -> None:
    job_id = run(stack, "sh", "-e", "-c", AT_THE_STACK + program("sh"), cwd=tmp_path)

    assert completed(app, job_id) == "Hello, Grace!"


def test_what_is_refused_is_listed_with_its_reason_and_can_be_sent_again(
    stack: RunningStack, app: App, tmp_path: Path
) -> None:
    text = AT_THE_STACK + program("sh").replace("demo.greet", "demo.gret")
    job_id = run(stack, "sh", "-e", "-c", text, cwd=tmp_path)
    messages = app.dead_letters.messages
    wait_for(lambda: len(messages.all()) == 1, within=SOON, what="the refused message")

    (refused,) = messages.all()
    assert (refused.job_id, refused.type, refused.queue) == (job_id, "demo.gret", Lane.MEDIUM)
    assert refused.reason == "open message refused: unknown job type 'demo.gret', did you mean 'demo.greet'?"

    assert [one.job_id for one in messages.resend(type_="demo.gret")] == [job_id]
    wait_for(lambda: [one.job_id for one in messages.all()] == [job_id], within=SOON, what="its second refusal")
    assert json.dumps([one.to_json() for one in messages.all()])
