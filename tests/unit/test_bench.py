"""bench/: what a run says of systems that it could not measure."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from bench.budgets import ROUND, WAIT, budgets
from bench.page import summary
from bench.peers import BARE_BATCHED, CELERY, LANEWORK, NotInstalledError, run_installer

MEASURED: dict[str, Any] = {
    "jobs": 600,
    "enqueued_per_s": 1000.0,
    "enqueue_cpu_ms": 0.2,
    "enqueue_calls": 0.14,
    "drained_per_s": 300.0,
    "worker_cpu_ms": 1.0,
    "worker_calls": 0.4,
    "writes": 3.0,
    "memory_mb": 80.0,
    "p50_ms": 50.0,
    "p99_ms": 51.0,
    "calls": {"sqs:SendMessageBatch": 60},
}


def answers(*names: str) -> dict[str, Any]:
    return {"says": "jobs", "systems": {name: [MEASURED] for name in names}}


def test_a_peer_whose_install_fails_is_one_line_with_the_installers_last_word() -> None:
    code = "import sys; print('Collecting celery'); sys.exit('ERROR: No matching distribution found for celery==99')"

    with pytest.raises(NotInstalledError) as refused:
        run_installer(sys.executable, ("-c", code), ("celery==99",))

    assert str(refused.value).endswith(
        "could not install celery==99: ERROR: No matching distribution found for celery==99"
    )
    assert len(str(refused.value).splitlines()) == 1


def test_an_installer_that_is_not_there_is_one_line_too() -> None:
    with pytest.raises(NotInstalledError, match=r"^npm-is-not-here could not install bullmq@5: .*No such file"):
        run_installer("npm-is-not-here", (), ("bullmq@5",))


def test_what_is_compared_with_a_peer_that_is_absent_is_not_measured_and_nothing_else_is() -> None:
    results = {"rounds": {WAIT: answers(LANEWORK.name)}, "absent": {CELERY.name: "pip could not install celery"}}

    found = {one.what: one.verdict for one in budgets(results)}

    assert found == {
        "jobs that wait for 50 ms, 16 slots, over the ideal": "kept",
        f"jobs that wait for 50 ms, 16 slots, over {CELERY.name}": "not measured",
    }
    assert f"- {CELERY.name}: not measured: pip could not install celery" in summary(results)
    assert f"| {CELERY.name} |" not in summary(results)


def test_a_budget_that_is_missed_is_shown_as_missed() -> None:
    results = {"rounds": {ROUND: answers(LANEWORK.name, BARE_BATCHED.name)}}
    slow = {**MEASURED, "drained_per_s": 299.0}
    results["rounds"][ROUND]["systems"][LANEWORK.name] = [slow]

    text = summary(results)

    assert "| jobs a second, over the bare loop that makes the same calls | ≥ 1 × | 1.00 × | **missed** |" in text
