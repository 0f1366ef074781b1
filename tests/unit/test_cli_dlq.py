"""What `lanework dlq` prints of what became of dead jobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lanework.cli.dlq.output import print_summary
from lanework.dead_letters import DeadFilter, RedrivePlan, RedriveSummary
from tests.support.factories import a_record

if TYPE_CHECKING:
    from collections.abc import Mapping


def a_plan() -> RedrivePlan:
    return RedrivePlan(filter=DeadFilter(), jobs=(a_record(job_id="a"), a_record(job_id="b")), count=2, is_counted=True)


LEFT: Mapping[str, str] = {"b": "not sendable: attempts: must be at least 1"}


@pytest.mark.parametrize("as_json", [False, True])
def test_a_job_that_can_not_be_sent_is_reported_apart_with_its_cause(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    print_summary("redrive", a_plan(), RedriveSummary(moved=1, passed_over=1, left=dict(LEFT)), as_json=as_json)

    said = capsys.readouterr().out
    if as_json:
        assert (json.loads(said)["moved"], json.loads(said)["leftOut"]) == (1, LEFT)
    else:
        assert said.splitlines() == ["1 of 2 redriven, 1 passed over", f"left as it is: b ({LEFT['b']})"]
