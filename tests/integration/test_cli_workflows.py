"""`lanework workflow` on moto, with the example application's own jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobs import app
from lanework import Cause, State, WorkflowNotFoundError, batch, chain
from lanework.errors import NotConfirmedError
from lanework.model import moves
from lanework.model.lanes import DLQ_RETENTION
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.integration.commands import run
from tests.stacks import REGION

if TYPE_CHECKING:
    pass

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _on_a_stack(stack: str, moto_endpoint: str) -> None:
    app.use(aws_ports(Settings(stack=stack, region=REGION, endpoint=moto_endpoint)))


def a_workflow() -> None:
    greet = app.request("demo.greet", {"name": "Bat"})
    plan = batch([greet, chain(greet, greet)], on_success=greet)
    app.workflows.enqueue(plan, workflow_id="nightly")


def kill(job_id: str) -> None:
    """Let a job have died, as a worker would."""
    ledger, now = app.ports.ledger, app.ports.clock()
    ledger.change(job_id, moves.claim(life=1, claim_id="run-1", now=now, lease=DLQ_RETENTION))
    record = app.get(job_id)
    died = moves.die(record, cause=Cause.DISCARDED, error="no use", now=now, expires_at=now + DLQ_RETENTION)
    ledger.change(job_id, died)


def test_a_workflow_is_listed_and_drawn() -> None:
    a_workflow()

    listed: list[dict[str, Any]] = json.loads(run("workflow", "list", "--json").stdout)
    drawn = run("workflow", "show", "nightly").stdout

    assert [(one["workflowId"], one["kind"], one["status"]) for one in listed] == [("nightly", "batch", "running")]
    assert drawn.splitlines() == [
        "nightly is running: batch, 0 % of 2 jobs ended (2 open)",
        "nightly  batch  running",
        "├── nightly.1  demo.greet  queued",
        "├── nightly.2  chain  running",
        "│   ├── nightly.2.1  demo.greet  queued",
        "│   └── nightly.2.2  demo.greet  blocked  after nightly.2.1",
        "└── on_success nightly.on-success  demo.greet  blocked  after nightly",
    ]


def test_a_drawing_says_how_many_jobs_it_leaves_out() -> None:
    a_workflow()

    assert "… and 1 more; --most draws up to 500" in run("workflow", "show", "nightly", "-n", "2").stdout


def test_what_died_is_retried() -> None:
    a_workflow()
    kill("nightly.1")

    assert run("workflow", "retry", "nightly").stdout == "nightly: 1 job redriven\n"
    assert app.get("nightly.1").state is State.QUEUED
    assert app.get("nightly.1").life == 2


def test_a_cancelled_workflow_leaves_nothing_to_run_but_its_callbacks() -> None:
    a_workflow()

    with pytest.raises(NotConfirmedError):
        run("workflow", "cancel", "nightly", stdin="n\n")
    assert app.get("nightly.1").state is State.QUEUED
    assert run("workflow", "cancel", "nightly", "--yes").stdout == "nightly: 3 jobs cancelled, or asked to stop\n"

    shown = json.loads(run("workflow", "show", "nightly", "--json").stdout)
    assert (shown["status"], shown["cancelled"], shown["open"]) == ("cancelled", 2, 0)
    assert {one["status"] for one in shown["nodes"]} == {"cancelled"}


def test_an_unknown_workflow_is_told() -> None:
    with pytest.raises(WorkflowNotFoundError, match="no workflow 'nightly': it was never enqueued here"):
        run("workflow", "show", "nightly")


def test_a_job_waits_for_another_by_the_command() -> None:
    run("enqueue", "demo.greet", "--payload", '{"name": "Bat"}', "--job-id", "first")
    run("enqueue", "demo.greet", "--payload", '{"name": "Bat"}', "--job-id", "second", "--after", "first")

    assert app.get("second").open_parents == ("first",)
