"""Workflows on the embedded stack: a thousand jobs and one that gathers them, and a death in the middle."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lanework import App, State, WorkflowState, batch, chain, group
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import embedded_stack
from tests.support.ports import free_port
from tests.support.projects import a_project, application_on
from tests.support.rights import UNDER_IAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.local.stack.embedded import RunningStack

ROOT = Path(__file__).parents[2]
FAN_OUT = 1_000
WIDTH = 40
"""More than the end of one job lets go by itself."""

CODE = """
from pathlib import Path
from pydantic import BaseModel
from lanework import App, Discard, Jobs, Run

flow = Jobs(queue="flow", lane="medium", attempts=1)

class Number(BaseModel):
    n: int = 0
    needs: str = ""

@flow.job("flow.square")
async def square(number: Number) -> int:
    return number.n**2

@flow.job("flow.needs")
def needs(number: Number, run: Run) -> dict[str, int]:
    if number.needs and not Path(number.needs).exists():
        raise Discard(f"{number.needs} is not there yet")
    return {"n": number.n + 1}

@flow.job("flow.gather", lane="low")
def gather(number: Number, run: Run) -> int:
    return sum(one.result for one in app.workflows.results(run.workflow_id))

app = App(flow)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    project = a_project(tmp_path_factory.mktemp("flow") / "shop", CODE)
    with embedded_stack(project, port=free_port(), checks_rights=UNDER_IAM) as running:
        yield running


@pytest.fixture
def app(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> App:
    return application_on(stack, monkeypatch)


def is_now(app: App, workflow_id: str, state: WorkflowState) -> bool:
    return app.workflows.get(workflow_id).record.state is state


def test_a_thousand_jobs_are_gathered_by_one(app: App) -> None:
    squares = (app.request("flow.square", {"n": n}) for n in range(FAN_OUT))
    app.workflows.enqueue(batch(squares, on_success=app.request("flow.gather", {})), workflow_id="fan")

    total = app.result("fan.on-success", timeout=timedelta(seconds=300))

    assert total == sum(n**2 for n in range(FAN_OUT))
    status = app.workflows.get("fan")
    assert (status.counts.jobs, status.counts.completed, status.percent) == (FAN_OUT, FAN_OUT, 100)
    assert app.get("fan.on-success").attempts == 1


def test_three_levels_with_a_death_in_the_middle_finish_once_it_is_redriven(app: App, tmp_path: Path) -> None:
    missing = tmp_path / "there"
    middle: list[dict[str, object]] = [{"n": n} for n in range(WIDTH)]
    middle[1]["needs"] = str(missing)
    plan = chain(
        app.request("flow.needs", {"n": 0}),
        group(app.request("flow.needs", json.dumps(one)) for one in middle),
        app.request("flow.needs", {"n": 9}),
    )
    app.workflows.enqueue(plan, workflow_id="levels")

    soon = timedelta(seconds=120)
    wait_for(lambda: is_now(app, "levels.2", WorkflowState.FAILED), within=soon, what="the death in the middle")
    assert (app.get("levels.2.2").state, app.get("levels.3").state) == (State.DEAD, State.BLOCKED)

    missing.touch()
    assert app.workflows.retry("levels") == 1

    wait_for(lambda: is_now(app, "levels", WorkflowState.COMPLETED), within=soon, what="the workflow's end")
    assert [app.get(f"levels.2.{n}").life for n in (1, 2, 3)] == [1, 2, 1]
    assert app.workflows.get("levels.2").counts.completed == WIDTH
    assert app.get("levels.3").state is State.COMPLETED
