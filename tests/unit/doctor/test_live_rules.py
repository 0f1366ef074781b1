"""Rules about what only a live stack shows: drift, other code, unknown types, a clock that is off, refused looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lanework.aws.deployed.stack import skew_of
from lanework.doctor.case import Case, Finding, Live, Refusal, examine
from lanework.doctor.graph import Graph
from lanework.doctor.resources import Role, Statement
from lanework.doctor.rules import RULES, deployed
from lanework.local.deployment.layer_files import layer_files
from lanework.local.deployment.template import read_template
from lanework.local.doctor_input import changed_files, template_case

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def intended() -> Graph:
    return template_case(read_template(ROOT / "template.yaml"), None).graph


def found(graph: Graph, live: Live) -> list[Finding]:
    return examine(Case(graph=graph, live=live), RULES)


def test_a_stack_that_is_as_intended_has_nothing(intended: Graph) -> None:
    assert found(intended, Live(intended=intended, changed_files=())) == []


def test_what_was_changed_by_hand_is_told_value_by_value(intended: Graph) -> None:
    queue = next(one for one in intended.queues if one.id == "LowQueue")
    others = tuple(one for one in intended.queues if one is not queue)
    changed = replace(intended, queues=(*others, replace(queue, retention=timedelta(days=3))))

    (finding,) = found(changed, Live(intended=intended))

    assert (finding.rule, finding.about) == ("drift", "LowQueue")
    assert finding.what == "retention: 3 days, 0:00:00, template.yaml says 7 days, 0:00:00"


def test_what_is_missing_and_what_nobody_knows_of_are_drift(intended: Graph) -> None:
    *dashboards, last = intended.alarms
    stray = replace(last, id="Stray", name="stray")

    findings = found(replace(intended, alarms=(*dashboards, stray)), Live(intended=intended))

    assert {(one.rule, one.about) for one in findings} >= {("drift", last.id), ("drift", "Stray")}


def test_a_variable_that_differs_is_named_and_its_value_is_not_shown(intended: Graph) -> None:
    function = next(one for one in intended.functions if one.id == "Clock")
    others = tuple(one for one in intended.functions if one is not function)
    changed = replace(function, variables={**function.variables, "SMTP_HOST": "hunter2"})

    (finding,) = found(replace(intended, functions=(*others, changed)), Live(intended=intended))

    assert finding.what == "its variables SMTP_HOST are not what template.yaml says"


def test_the_order_of_statements_is_no_drift_and_another_action_is(intended: Graph) -> None:
    role = next(one for one in intended.roles if one.id == "SchedulerRole")
    others = tuple(one for one in intended.roles if one is not role)
    more = Statement(allows=True, actions=("s3:GetObject",), resources=("arn:aws:s3:::a/b",))
    same = replace(intended, roles=(Role(id=role.id, statements=role.statements[::-1]), *others))
    wider = replace(intended, roles=(Role(id=role.id, statements=(*role.statements, more)), *others))

    assert found(same, Live(intended=intended)) == []
    assert [one.about for one in found(wider, Live(intended=intended))] == ["SchedulerRole"]


def test_files_of_the_layer_that_differ_are_named_five_at_most(intended: Graph) -> None:
    files = tuple(f"jobs/{number}.py" for number in range(7))

    (finding,) = found(intended, Live(changed_files=files))

    assert finding.rule == "code"
    assert finding.what.endswith("jobs/0.py, jobs/1.py, jobs/2.py, jobs/3.py, jobs/4.py and 2 more")


def test_jobs_of_an_unknown_type_and_a_refused_look_are_told(intended: Graph) -> None:
    live = Live(unknown_types={"ghost.walk": 2}, refusals=(Refusal(action="iam:GetRolePolicy", on="ClockRole"),))

    stranger, refusal = found(intended, live)

    assert stranger.what == "2 jobs wait, or died of it, whose type no code here has"
    assert stranger.todo.endswith("lanework dlq redrive --type ghost.walk")
    assert (refusal.rule, refusal.about) == ("readable", "ClockRole")
    assert "iam:GetRolePolicy" in refusal.todo


def test_an_id_of_ours_that_another_job_has_is_told_with_its_type(intended: Graph) -> None:
    (finding,) = found(intended, Live(taken={"nightly@2026-11-30T00:39Z": "report.month"}))

    assert (finding.rule, finding.about) == ("own-ids", "nightly@2026-11-30T00:39Z")
    assert "report.month" in finding.what


@pytest.mark.parametrize(("count", "verb"), [(1, "is"), (3, "are")])
def test_jobs_that_are_queued_while_their_lane_is_empty_are_told_with_what_to_type(
    intended: Graph, count: int, verb: str
) -> None:
    (finding,) = found(intended, Live(unsent={"low": count}))

    assert (finding.rule, finding.about) == ("unsent", "low")
    assert finding.what.startswith(f"{count} of the newest jobs {verb} queued while the lane is empty")
    assert "lanework list --status queued --lane low" in finding.todo


@pytest.mark.parametrize(("seconds", "said"), [(2, None), (3600, "3600 s ahead of"), (-90, "90 s behind")])
def test_a_clock_is_off_beyond_two_seconds(seconds: int, said: str | None, intended: Graph) -> None:
    findings = found(intended, Live(skew=timedelta(seconds=seconds)))

    assert [one.what for one in findings] == ([] if said is None else [f"its clock is {said} AWS's"])


@pytest.mark.parametrize(
    ("before_s", "after_s", "skew_s"),
    [(0.0, 0.1, 0), (-0.5, 0.2, 0), (0.9, 1.5, 0), (5.0, 5.1, 4), (-10.0, -9.5, -9.5), (-3.0, 4.0, 0)],
)
def test_a_clock_is_only_called_wrong_by_what_whole_seconds_and_the_calls_time_can_not_explain(
    before_s: float, after_s: float, skew_s: float
) -> None:
    before, after = (NOON + timedelta(seconds=one) for one in (before_s, after_s))

    assert skew_of(before, after, NOON) == timedelta(seconds=skew_s)


def test_deployed_code_is_compared_where_it_is_ours(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").write_text("app = 1\n")
    (tmp_path / "jobs" / "new.py").write_text("")
    (tmp_path / "jobs" / "scenario.py").write_text("")
    deployed_code = {
        "jobs/__init__.py": b"app = 2\n",
        "jobs/gone.py": b"",
        "jobs/__pycache__/new.cpython-313.pyc": b"",
        "pydantic/__init__.py": b"",
    }

    def changed(deployed: dict[str, bytes]) -> tuple[str, ...]:
        return changed_files(deployed, layer_files([tmp_path], demo="jobs.scenario:scenario"))

    assert changed(deployed_code) == ("jobs/__init__.py", "jobs/gone.py", "jobs/new.py")
    assert changed({"jobs/__init__.py": b"app = 1\n", "jobs/new.py": b""}) == ()


def test_live_rules_have_nothing_to_say_of_a_template(intended: Graph) -> None:
    assert examine(Case(graph=intended), deployed.RULES) == []
