"""`lanework workflow` on moto, with the example application's own jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs import app
from lanework import Cause, State, WorkflowNotFoundError, batch, chain, group
from lanework.engine.dependencies.workflow_progress import Shards
from lanework.errors import NotConfirmedError
from lanework.model.lanes import DLQ_RETENTION
from lanework.model.lifecycle import claim_moves, run_moves
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.commands import run
from tests.support.stacks import REGION

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
    ledger.change(job_id, claim_moves.claim(life=1, claim_id="run-1", now=now, lease=DLQ_RETENTION))
    record = app.get(job_id)
    died = run_moves.die(record, cause=Cause.DISCARDED, error="no use", now=now, expires_at=now + DLQ_RETENTION)
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


def complete(job_id: str) -> None:
    """Let a job have completed, as a worker would, and its workflow know."""
    ledger, now = app.ports.ledger, app.ports.clock()
    ledger.change(job_id, claim_moves.claim(life=1, claim_id="run-1", now=now, lease=DLQ_RETENTION))
    expires_at = now + DLQ_RETENTION
    said = '{"said": "Hello"}'
    done = run_moves.complete(claim_id="run-1", now=now, result=said, result_omitted=None, expires_at=expires_at)
    ledger.change(job_id, done)
    Shards(app.ports).record_end(app.get(job_id))


def test_of_many_jobs_the_totals_and_those_that_need_attention_come_first_and_the_rest_is_listed() -> None:
    greet = app.request("demo.greet", {"name": "Bat"})
    app.workflows.enqueue(group([greet] * 300), workflow_id="many")
    for number in (1, 2, 299):
        complete(f"many.{number}")
    for number in (150, 298):
        kill(f"many.{number}")
        Shards(app.ports).record_end(app.get(f"many.{number}"))
    app.cancel("many.200")

    drawn = run("workflow", "show", "many", "-n", "6").stdout.splitlines()
    shown = json.loads(run("workflow", "show", "many", "-n", "6", "--json").stdout)
    pages = [json.loads(run("workflow", "results", "many", "--json").stdout)]
    while pages[-1]["cursor"] is not None:
        pages.append(
            json.loads(run("workflow", "results", "many", "--json", "--cursor", str(pages[-1]["cursor"])).stdout)
        )

    assert drawn == [
        "many is running: group, 2 % of 300 jobs ended (2 dead, 1 cancelled, 294 open, 3 completed)",
        "many  group  running",
        "├── many.150  demo.greet  dead  no use",
        "├── many.298  demo.greet  dead  no use",
        "├── many.200  demo.greet  cancelled",
        "├── many.3  demo.greet  queued",
        "└── many.4  demo.greet  queued",
        "… and 295 more; --most draws up to 500, lanework workflow results many lists all its jobs",
    ]
    assert (shown["dead"], shown["open"], shown["leftOut"]) == (2, 294, 295)
    assert [one["jobId"] for page in pages for one in page["results"]] == [f"many.{n}" for n in range(1, 301)]
    assert pages[0]["results"][0] == {
        "jobId": "many.1",
        "status": "completed",
        "result": {"said": "Hello"},
        "resultOmitted": None,
    }


def test_results_are_listed_in_short_page_by_page() -> None:
    greet = app.request("demo.greet", {"name": "Bat"})
    app.workflows.enqueue(group([greet] * 3), workflow_id="few")
    complete("few.1")

    first = run("workflow", "results", "few", "-n", "2").stdout
    cursor = first.split()[-1]
    last = run("workflow", "results", "few", "-n", "2", "--cursor", cursor).stdout

    assert [line.strip().split(maxsplit=2) for line in first.splitlines()[:3]] == [
        ["id", "state", "result"],
        ["few.1", "completed", '{"said": "Hello"}'],
        ["few.2", "queued"],
    ]
    assert f"More: --cursor {cursor}" in first
    assert ("few.3" in last, "More" in last) == (True, False)


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
