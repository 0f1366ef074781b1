"""`lanework clean` on a stack with ended jobs of the example application."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lanework import State
from lanework.engine.ports.bundle import Ports
from lanework.errors import InvalidOptionError, NotConfirmedError
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.commands import said
from tests.support.factories import a_record
from tests.support.stacks import REGION

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def ports(stack: str, moto_endpoint: str) -> Ports:
    found = aws_ports(Settings(stack=stack, region=REGION, endpoint=moto_endpoint))
    for number in range(4):
        at = NOW - number * DAY
        ended = a_record(job_id=f"job-{number}", type="demo.greet", queue="demo", created_at=at, run_at=at)
        kept_until = NOW + 8 * DAY
        found.ledger.put(replace(ended, state=State.COMPLETED, due_at=None, ended_at=at, expires_at=kept_until))
    return found


@pytest.fixture
def lanework(ports: Ports) -> Callable[..., str]:  # noqa: ARG001 - the stack that it talks to
    """Run a command; return what it printed, or raise what it complained of."""
    return said


def kept(ports: Ports) -> list[str]:
    found = ports.ledger.get_many([f"job-{number}" for number in range(4)])
    return sorted(one.job_id for one in found.values() if not one.retired)


def test_a_dry_run_counts_and_changes_nothing(lanework: Callable[..., str], ports: Ports) -> None:
    said = lanework("clean", "--keep", "1", "--dry-run")

    assert "demo.greet" in said
    assert "Would retire 3 completed jobs. Nothing was changed." in said
    assert len(kept(ports)) == 4


def test_what_is_beyond_the_newest_or_too_old_is_retired(lanework: Callable[..., str], ports: Ports) -> None:
    assert lanework("clean", "--older-than", "60h", "--yes") == "1 of 1 retired\n"
    assert kept(ports) == ["job-0", "job-1", "job-2"]

    assert lanework("clean", "--queue", "demo", "--keep", "1", "--yes") == "2 of 2 retired\n"
    assert kept(ports) == ["job-0"]
    assert [job["jobId"] for job in json.loads(lanework("list", "--json"))["jobs"]] == ["job-0"]
    assert json.loads(lanework("get", "job-3", "--json"))["retired"]
    assert lanework("clean", "--queue", "demo", "--keep", "1") == "nothing to clean: no such job\n"


def test_it_asks_and_takes_no_for_an_answer(lanework: Callable[..., str], ports: Ports) -> None:
    with pytest.raises(NotConfirmedError):
        lanework("clean", "--keep", "0", stdin="n\n")

    assert len(kept(ports)) == 4


def test_programs_read_what_was_done(lanework: Callable[..., str]) -> None:
    done = json.loads(lanework("clean", "--keep", "3", "--yes", "--json"))

    assert (done["matched"], done["retired"], done["passedOver"], done["types"]) == (1, 1, 0, {"demo.greet": 1})


def test_what_can_not_be_meant_is_refused(lanework: Callable[..., str]) -> None:
    with pytest.raises(InvalidOptionError, match="give --older-than 2d, or --keep 100, or both"):
        lanework("clean")
    assert "Invalid value for '--keep'" in lanework("clean", "--keep", "-1")
    assert "unknown status 'complete'" in lanework("clean", "--keep", "1", "--status", "complete")
