"""Pipelines, tests, deployments: stages that are done once each. Exports: a file, and a mail about it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from jobs import app
from jobs.engineering import Deployment, Pipeline, Suite, deploy, run_pipeline, run_tests
from jobs.exports import ExportTransactions, export_transactions
from jobs.store import Transaction
from lanework import State
from lanework.testing import Notes, a_run, app_in_memory
from tests.support.stores import MemoryStore

DAY = datetime(2026, 1, 5, tzinfo=UTC)


def test_a_pipeline_does_its_stages_in_order_tells_its_progress_and_is_kept_for_the_report() -> None:
    app_in_memory(app)
    done, notes, store = list[str](), Notes(), MemoryStore()
    asked = Pipeline(name="deploy", project="shop", notify=("a@example.com",))

    ran = run_pipeline(asked, a_run(job_id="p", notes=notes), work=done.append, store=lambda: store, now=lambda: DAY)

    assert ran == {"stages": ["build", "test", "publish"], "seconds": 0.0}
    assert (done, notes.said) == (
        ["build", "test", "publish"],
        [(0, "build"), (33, "test"), (66, "publish"), (100, "done")],
    )
    assert store.rows[0].fields == {"pipeline": "deploy", "status": "success", "seconds": "0.000"}
    assert app.get("p.mail").type == "email.pipeline-complete"


def test_a_retry_does_not_repeat_a_stage_that_was_done() -> None:
    done, notes = list[str](), Notes()

    def work(stage: str) -> None:
        done.append(stage)
        if done == ["unit", "integration"]:
            msg = "the machine went away"
            raise OSError(msg)

    with pytest.raises(OSError, match="went away"):
        run_tests(Suite(project="shop"), a_run(notes=notes), work=work)
    run_tests(Suite(project="shop"), a_run(attempt=2, notes=notes), work=work)

    assert done == ["unit", "integration", "integration"]


def test_a_deployment_is_told_when_it_is_there() -> None:
    app_in_memory(app)
    deploy(Deployment(project="shop", version="1.2", notify=("a@example.com",)), a_run(job_id="d"))

    assert (app.get("d.mail").type, app.get("d.mail").state) == ("email.deployment-notification", State.QUEUED)


def test_an_export_holds_the_users_own_rows_that_the_filters_let_through() -> None:
    app_in_memory(app)
    store = MemoryStore()
    for number, (user, amount, currency) in enumerate(
        [("u1", "5", "EUR"), ("u2", "9", "EUR"), ("u1", "9", "EUR"), ("u1", "9", "MNT")]
    ):
        store.add_transaction(
            Transaction(id=f"t{number}", at=DAY, amount=Decimal(amount), currency=currency, user_id=user)
        )
    asked = ExportTransactions(
        start=DAY.date(), end=DAY.date(), user_id="u1", email="a@example.com", currency="EUR", at_least=Decimal(6)
    )

    answer = export_transactions(asked, a_run(job_id="e"), store=lambda: store)

    assert answer == {"rows": 1, "key": "report#e"}
    assert [row[0] for row in csv.reader(store.reports["e", "csv"].splitlines())] == ["id", "t2"]
    assert app.get("e.mail").type == "email.send"
