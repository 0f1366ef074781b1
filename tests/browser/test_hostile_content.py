"""Whatever a job carries is shown as text, and runs nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from lanework.memory import MemoryLedger
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause, Failure, State
from lanework.testing import NOON
from tests.support.factories import a_record

if TYPE_CHECKING:
    from tests.support.browser import Stage, Visitor

EVIL = (
    '"\'><script>window.hacked=1</script><img src=x onerror="window.hacked=1"><svg onload=window.hacked=1>{{7*7}}</pre>'
)


@pytest.fixture(autouse=True)
def hostile_jobs(stage: Stage) -> None:
    """Have jobs that carry it wherever a record can."""
    ledger = stage.app.ports.ledger
    assert isinstance(ledger, MemoryLedger)
    everywhere: dict[str, Any] = {
        "type": EVIL,
        "queue": EVIL,
        "tenant": EVIL,
        "error": EVIL,
        "progress_note": EVIL,
        "held_by": EVIL,
        "result": f'"{EVIL}"',
        "payload": '{"' + EVIL.replace('"', '\\"') + '": "' + EVIL.replace('"', '\\"') + '"}',
        "failures": (Failure(attempt=1, life=1, at=NOON, error=EVIL),),
    }
    for state in State:
        facts: dict[str, Any] = {
            "state": state,
            "lane": Lane.HIGH,
            "progress": 5,
            "started_at": NOON,
            "attempts": 1,
            **everywhere,
        }
        if state in {State.DEAD, State.COMPLETED, State.CANCELLED}:
            facts |= {"ended_at": NOON - timedelta(seconds=1)}
        if state is State.DEAD:
            facts |= {"cause": Cause.EXHAUSTED, "sweep_at": NOON - timedelta(seconds=1)}
        ledger.records[f"evil-{state}"] = replace(a_record(job_id=f"evil-{state}"), **facts)
        ledger.add_log(f"evil-{state}", "claim", at=NOON, lines=[EVIL])


def test_no_field_of_a_job_runs_anything(visitor: Visitor) -> None:
    visitor.log_in()
    for path in ("", "jobs", "jobs?status=dead", "dead", "limits", *(f"jobs/evil-{state}" for state in State)):
        page = visitor.open(path)
        assert page.evaluate("window.hacked") is None, path
        assert page.locator("main script, main img").count() == 0, path
    page = visitor.open("jobs/evil-dead")
    expect(page.locator(".error pre")).to_have_text(EVIL)
    expect(page.locator(".log")).to_have_text(EVIL)
    visitor.open("dead").locator("a.group", has_text="window.hacked").first.click()
    expect(page.locator(".error pre")).to_have_text(EVIL)
    page.get_by_role("button", name="Redrive all of them…").click()
    assert page.evaluate("window.hacked") is None
    assert visitor.complaints == []


@pytest.mark.parametrize(
    "path", ["jobs?id={}", "jobs?type={}", "jobs?cursor={}", "jobs?status={}", "dead/{}", "dead?queue={}", "jobs/{}"]
)
def test_no_part_of_an_address_runs_anything(visitor: Visitor, path: str) -> None:
    visitor.log_in()

    page = visitor.open(path.format(quote(EVIL)))

    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main img").count() == 0


def test_the_policy_refuses_a_script_that_got_into_a_page(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.open("jobs")

    page.evaluate(
        """new Promise(resolve => {
            document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.hacked=1">');
            document.querySelector('body > img').addEventListener('error', () => resolve(true));
        })"""
    )

    assert page.evaluate("window.hacked") is None
