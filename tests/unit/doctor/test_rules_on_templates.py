"""Each rule finds the template that is broken in its way, in infra/broken/, and nothing in ours."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from samtranslator.yaml_helper import yaml_parse

from jobs import app
from lanework import Batch, Jobs
from lanework.doctor.case import Finding, examine
from lanework.doctor.rules import RULES, deployed
from lanework.local.batch_notes import batch_notes, largest_batches
from lanework.local.deployment.samconfig import deployed_parameters
from lanework.local.deployment.template import read_template
from lanework.local.doctor_input import code_of, template_case
from lanework.local.samconfig_findings import examine_template
from lanework.model.lanes import Lane

ROOT = Path(__file__).parents[3]
BROKEN = {file.stem: file for file in sorted((ROOT / "infra" / "broken").glob("*.yaml"))}
CODE = code_of(app)

Template = dict[str, Any]


@pytest.fixture(scope="module")
def ours() -> Template:
    return read_template(ROOT / "template.yaml")


def laid_over(template: Template, changes: Template) -> Template:
    """Return a template with changes: mappings are merged, null takes away, all else replaces what is there."""
    merged = copy.deepcopy(template)
    for name, change in changes.items():
        if change is None:
            del merged[name]
        elif isinstance(change, dict) and isinstance(merged.get(name), dict):
            merged[name] = laid_over(merged[name], change)
        else:
            merged[name] = change
    return merged


def found_in(template: Template, **parameters: str) -> list[Finding]:
    return examine(template_case(template, CODE, parameters=parameters), RULES)


def test_our_template_has_nothing_to_complain_about(ours: Template) -> None:
    assert found_in(ours) == []


def test_neither_has_what_each_environment_makes_of_it(ours: Template) -> None:
    assert {"default", "dev", "staging", "prod"} <= deployed_parameters(ROOT).keys()
    assert examine_template(ours, CODE, ROOT) == []


def test_a_lane_with_a_batch_function_may_be_handed_as_many_messages_as_that_takes(ours: Template) -> None:
    changes = {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 2}
    events = {"Properties": {"Events": {"Lane": {"Properties": changes}}}}
    queue = {"Properties": {"VisibilityTimeout": 67}}
    template = laid_over(ours, {"Resources": {"MediumWorker": events, "MediumQueue": queue}})
    code = replace(CODE, batches={Lane.MEDIUM: 100})

    assert [one.rule for one in found_in(template)] == ["lane-numbers"]
    assert examine(template_case(template, code), RULES) == []


def test_a_batch_function_that_lambda_hands_fewer_jobs_is_noted_with_what_to_write(ours: Template) -> None:
    crm = Jobs(queue="crm", lane="medium")

    def sync(contacts: Batch[Contact]) -> None: ...

    within = timedelta(seconds=1)
    crm.batch("crm.sync", size=100, within=within)(sync)
    crm.batch("crm.few", size=5, within=within)(sync)
    crm.batch("crm.elsewhere", size=200, within=within, where="worker")(sync)

    (note,) = batch_notes(ours, crm.types)
    assert note == (
        "note: crm.sync takes 100 jobs a call, and Lambda hands it 5 at most: raise BatchSize of MediumWorker in "
        "template.yaml (over 10, MaximumBatchingWindowInSeconds too), or run the lane with lanework worker"
    )
    assert largest_batches(crm.types) == {Lane.MEDIUM: 100}


class Contact(BaseModel):
    n: int


def for_prod(folder: Path, overrides: str) -> None:
    text = f"version = 0.1\n[prod.deploy.parameters]\nparameter_overrides = {overrides}\n"
    (folder / "samconfig.toml").write_text(text)


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ('"VpcSecurityGroups=sg-1 LogLevel=DEBUG"', "Give VpcSubnets and VpcSecurityGroups together, or neither."),
        ('["ApiAccess=jwt"]', "ApiAccess=jwt needs ApiJwtIssuer and ApiJwtAudience."),
        ('["LogLvel=DEBUG"]', "template.yaml has no parameter 'LogLvel', did you mean 'LogLevel'?"),
        (
            '"ParameterKey=LogLevel,ParameterValue=LOUD"',
            "LogLevel must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'",
        ),
        ("{CriticalMemory = 64}", "CriticalMemory must be a number, at least 128 and at most 10240, not '64'"),
    ],
)
def test_what_an_environment_of_samconfig_toml_would_be_refused_for_is_found_before_it_is_deployed(
    overrides: str, what: str, ours: Template, tmp_path: Path
) -> None:
    """A VPC's security groups without subnets were met at the deployment; a misspelt parameter by nobody."""
    (tmp_path / "samconfig.toml").write_text(
        f"version = 0.1\n[prod.deploy.parameters]\nparameter_overrides = {overrides}\n"
    )

    (found,) = examine_template(ours, CODE, tmp_path)

    assert (found.about, found.what) == ("[prod.deploy.parameters]", what)
    assert found.todo == "change its parameter_overrides in samconfig.toml"


def test_a_rule_that_an_environment_alone_breaks_names_the_environment(ours: Template, tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(
        '[prod.deploy.parameters]\nparameter_overrides = "HighWorkers=900 CriticalWorkers=200"\n'
    )

    found = examine_template(ours, CODE, tmp_path)

    assert found
    assert all(one.about.startswith("[prod.deploy.parameters]") for one in found)


@pytest.mark.parametrize("rule", sorted(one.name for one in RULES if one not in deployed.RULES))
def test_a_rule_finds_the_template_that_is_broken_in_its_way_and_no_other_rule_does(rule: str, ours: Template) -> None:
    broken = laid_over(ours, yaml_parse(BROKEN[rule].read_text()))

    findings = found_in(broken)

    assert {one.rule for one in findings} == {rule}
    assert all(one.what and one.why and one.todo for one in findings)


def test_there_is_a_rule_for_each_broken_template() -> None:
    assert BROKEN.keys() == {one.name for one in RULES if one not in deployed.RULES}


def test_pollers_take_the_place_of_maximum_concurrency_ten_executions_each(ours: Template) -> None:
    assert found_in(ours, CriticalPollers="2", CriticalWorkers="20") == []

    (finding,) = found_in(ours, CriticalPollers="4", CriticalWorkers="20")
    assert (finding.rule, finding.about) == ("reserved-concurrency", "CriticalWorker")
    assert finding.what == "40 executions are started at once, 20 are reserved"
    assert {one.rule for one in found_in(ours, CriticalPollers="1")} == {"concurrency-range"}


@pytest.mark.parametrize("lane", [lane.capitalize() for lane in Lane])
def test_each_lane_may_have_pollers(lane: str, ours: Template) -> None:
    parameters = {f"{lane}Pollers": "2", f"{lane}Workers": "20"}

    feeds = template_case(ours, None, parameters=parameters).graph.feeds

    assert found_in(ours, **parameters) == []
    assert [(one.pollers, one.max_concurrency) for one in feeds if one.pollers is not None] == [(2, None)]


def test_a_function_that_is_kept_warm_is_called_by_a_schedule_that_may_call_it_alone(ours: Template) -> None:
    graph = template_case(ours, None, parameters={"CriticalKeepWarm": "true"}).graph

    (timer,) = (one for one in graph.timers if one.name == "lanework-keep-warm")
    assert (timer.target.rpartition(":")[2], timer.expression) == ("lanework-worker-critical", "rate(5 minutes)")
    (role,) = (one for one in graph.roles if one.id == "CriticalWarmRole")
    (statement,) = role.statements
    assert (statement.actions, statement.resources) == (("lambda:InvokeFunction",), (timer.target,))
    assert found_in(ours, CriticalKeepWarm="true") == []


@pytest.mark.parametrize("off", [{}, {"CriticalKeepWarm": "true", "CriticalRunsOn": "worker"}])
def test_nothing_is_called_to_keep_it_warm_unless_that_is_asked_for(off: dict[str, str], ours: Template) -> None:
    graph = template_case(ours, None, parameters=off).graph

    assert not any("warm" in one.name for one in graph.timers)
    assert not any("Warm" in one.id for one in graph.roles)


def test_an_alarm_that_is_missing_is_named_with_what_it_should_watch(ours: Template) -> None:
    (finding,) = found_in(laid_over(ours, {"Resources": {"HighErrorsAlarm": None}}))

    assert (finding.rule, finding.what) == ("alarms", "no alarm watches AWS/Lambda Errors of lanework-worker-high")


def test_a_reservation_larger_than_the_account_allows_is_found_before_it_is_deployed(ours: Template) -> None:
    found = found_in(ours, CriticalWorkers="950", ApiConcurrency="30")

    assert [one.what for one in found] == ["980 executions are reserved, of 1,000; 100 must stay unreserved"]


def test_lanes_that_worker_processes_empty_need_no_executions(ours: Template) -> None:
    assert found_in(ours, LowRunsOn="worker", LowWorkers="1000") == []


def test_a_lane_that_worker_processes_empty_may_alarm_as_late_as_its_jobs_take(ours: Template) -> None:
    late = laid_over(ours, {"Resources": {"LowAgeAlarm": {"Properties": {"Threshold": 43_200}}}})

    assert {one.rule for one in found_in(late)} == {"alarm-thresholds"}
    assert found_in(late, LowRunsOn="worker") == []


SOME_HAVE = {
    "ArchiveBucket": "cold",
    "ApiTokensParameter": "/shop/api",
    "SmtpCredentialsParameter": "/shop/smtp",
    "EventsToBus": "ends",
    "WebhookSecretParameter": "/shop/webhook",
    "AlertWebhookParameter": "/shop/alerts",
}


def test_what_only_some_deployments_have_is_allowed_and_no_wider(ours: Template) -> None:
    assert SOME_HAVE.keys() <= ours["Parameters"].keys()
    assert found_in(ours, **SOME_HAVE) == []


def test_the_function_behind_the_stream_may_reach_its_bus_and_somebody_is_told_when_it_is_late(ours: Template) -> None:
    policy = ours["Resources"]["EventsRole"]["Properties"]["Policies"][0]
    others = [one for one in policy["PolicyDocument"]["Statement"] if one.get("Sid") != "Bus"]
    changed = {**policy, "PolicyDocument": {**policy["PolicyDocument"], "Statement": others}}
    mute = {
        "EventsLateAlarm": {"Properties": {"AlarmActions": []}},
        "EventsRole": {"Properties": {"Policies": [changed]}},
    }

    findings = found_in(laid_over(ours, {"Resources": mute}), EventsToBus="all")

    assert {one.rule: one.about for one in findings} == {"permissions": "EventsRole", "alarms": "EventsLateAlarm"}


@pytest.mark.parametrize(
    ("variable", "value", "action"),
    [
        ("LANEWORK_ARCHIVE_BUCKET", "cold", "s3:PutObject"),
        ("LANEWORK_WEBHOOK_SECRET_PARAMETER", "/shop/webhook", "ssm:GetParameter"),
    ],
)
def test_what_a_function_is_told_to_do_it_must_be_allowed(
    variable: str, value: str, action: str, ours: Template
) -> None:
    told = {"Globals": {"Function": {"Environment": {"Variables": {variable: value}}}}}

    findings = found_in(laid_over(ours, told))

    assert {one.rule for one in findings} == {"permissions"}
    assert {f"{lane.capitalize()}WorkerRole" for lane in Lane} <= {one.about for one in findings}
    assert all(action in one.what for one in findings)


@pytest.mark.parametrize(
    ("allowed", "what"),
    [
        (None, "any queue of the account may send it its dead letters"),
        ({"redrivePermission": "allowAll"}, "any queue of the account may send it its dead letters"),
        ({"redrivePermission": "denyAll"}, "it takes dead letters from no queue"),
    ],
)
def test_a_dead_letter_queue_that_others_may_use_or_its_own_lane_may_not_is_found(
    ours: Template, allowed: dict[str, str] | None, what: str
) -> None:
    other = {"Resources": {"HighDeadLetterQueue": {"Properties": {"RedriveAllowPolicy": allowed}}}}
    (finding,) = found_in(laid_over(ours, other))

    assert (finding.rule, finding.about, finding.what) == ("redrive-allow", "HighDeadLetterQueue", what)
