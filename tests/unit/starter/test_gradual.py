"""Gradual deployments: `[tool.lanework] deployment` gives functions an alias, and alarms take it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from lanework.aws.deployed.reader import read_graph
from lanework.aws.deployed.stack import Resource, Stack
from lanework.doctor.case import Finding, examine
from lanework.doctor.resources import Alias
from lanework.doctor.rules import RULES
from lanework.errors import ConfigError
from lanework.local.deployment.built import published
from lanework.local.deployment.sam_transform import translate
from lanework.local.deployment.template import at_once
from lanework.local.doctor_input import template_case
from lanework.local.project_config import config_of
from lanework.starter.product import product_of

CANARY = "Canary10Percent5Minutes"
SHIFTED = {"lanework-clock", *(f"lanework-worker-{lane}" for lane in ("critical", "high", "medium", "low", "batch"))}

Template = dict[str, Any]


def made(**said: Any) -> Template:
    """Return the template that a project's choices make."""
    text = product_of(Path(), config_of(said, Path("pyproject.toml")), schedules="")["template.yaml"]
    template: Template = yaml_parse(text)
    return template


@pytest.fixture
def canary() -> Template:
    return made(deployment=CANARY)


def found_in(template: Template, **parameters: str) -> list[Finding]:
    return examine(template_case(template, None, parameters=parameters), RULES)


def test_each_lanes_worker_and_the_clock_have_an_alias_and_all_that_calls_them_calls_it(canary: Template) -> None:
    graph = template_case(canary, None, parameters={}).graph

    assert {(one.function, one.name) for one in graph.aliases} == {(name, "live") for name in SHIFTED}
    assert {one.alias for one in graph.feeds} == {"live"}
    assert {one.target.rpartition(":function:")[2] for one in graph.timers} == {"lanework-clock:live"}
    assert graph.clock is not None


def test_each_is_taken_back_by_the_alarm_on_its_own_errors(canary: Template) -> None:
    graph = template_case(canary, None).graph
    errors = {alarm.name: alarm.of for alarm in graph.alarms if alarm.metric == "AWS/Lambda Errors"}

    assert {one.config for one in graph.shifts.values()} == {f"CodeDeployDefault.Lambda{CANARY}"}
    assert {errors[name] for one in graph.shifts.values() for name in one.alarms} == SHIFTED


@pytest.mark.parametrize("parameters", [{}, {"EventsToBus": "all", "RolePath": "/jobs/", "ApiAccess": "private"}])
def test_the_doctor_has_nothing_to_say(canary: Template, parameters: dict[str, str]) -> None:
    parameters = parameters and {**parameters, "ApiVpcEndpoints": "vpce-1"}

    assert found_in(canary, **parameters) == []


def test_the_transform_says_nothing_of_features_that_only_sams_service_has(
    canary: Template, caplog: pytest.LogCaptureFixture
) -> None:
    translate(canary)

    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"] == []


def test_the_role_that_shifts_is_under_the_accounts_rules_as_every_role_is(canary: Template) -> None:
    roles = [name for name, one in translate(canary)["Resources"].items() if one["Type"] == "AWS::IAM::Role"]

    assert "DeploymentRole" in roles
    assert "CodeDeployServiceRole" not in roles, "SAM's own would have neither path nor boundary"
    assert canary["Resources"]["DeploymentRole"]["Properties"]["Path"] == {"Ref": "RolePath"}


def test_functions_that_have_versions_may_start_from_snapshots_of_them(canary: Template) -> None:
    functions = {name: one["Properties"] for name, one in canary["Resources"].items() if "SnapStart" in str(one)}

    assert {one["FunctionName"]["Fn::Sub"].removeprefix("${AWS::StackName}-") for one in functions.values()} == {
        name.removeprefix("lanework-") for name in SHIFTED
    }
    wanted = {"Fn::If": ["SnapStartIsOn", {"ApplyOn": "PublishedVersions"}, {"Ref": "AWS::NoValue"}]}
    made_by_sam = translate(canary)["Resources"]
    assert all(made_by_sam[name]["Properties"]["SnapStart"] == wanted for name in functions)
    assert canary["Parameters"]["SnapStart"]["Default"] == "off"
    assert found_in(canary, SnapStart="on") == []
    assert "SnapStart" not in json.dumps(made()), "a function that publishes no version can't have it"


def test_what_aws_refuses_beside_snapstart_is_refused_before_the_deployment(canary: Template) -> None:
    rule = canary["Rules"]["SnapStartIsPossible"]

    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "SnapStart"}, "on"]}
    assert [one["AssertDescription"] for one in rule["Assertions"]] == [
        "SnapStart=on needs Runtime=python3.12, or newer.",
        *(
            f"SnapStart=on needs {lane}Storage=512, AWS's most for it."
            for lane in ("Critical", "High", "Medium", "Low", "Batch")
        ),
    ]


def test_the_parameter_is_in_a_group_of_the_consoles_form(canary: Template) -> None:
    (functions, *_) = canary["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert "SnapStart" in functions["Parameters"]


def test_two_lanes_are_shifted_where_there_are_two() -> None:
    template = made(deployment="AllAtOnce", lanes=["high", "low"])

    assert found_in(template) == []
    names = {one.function for one in template_case(template, None).graph.aliases}
    assert names == {"lanework-worker-high", "lanework-worker-low", "lanework-clock"}


def test_without_the_choice_there_is_no_alias_no_codedeploy_and_no_right_on_either() -> None:
    text = json.dumps(translate(made()))

    assert "AWS::Lambda::Alias" not in text
    assert "CodeDeploy" not in text
    assert ":live" not in text


def test_a_deployment_that_codedeploy_does_not_know_is_refused_with_those_that_it_does() -> None:
    with pytest.raises(ConfigError, match=r"deployment in pyproject\.toml must be one of AllAtOnce, Canary10"):
        made(deployment="Canary50Percent")


def test_each_build_publishes_a_version_since_sam_sees_no_change_of_the_layer(canary: Template) -> None:
    first, second = (_versions(published(canary, release)) for release in ("a" * 32, "b" * 32))

    assert len(first) == len(second) == 6
    assert not first & second
    assert published(made(), "a" * 32) == made(), "without an alias nothing is published"


def _versions(template: Template) -> set[str]:
    return {name for name, one in translate(template)["Resources"].items() if one["Type"] == "AWS::Lambda::Version"}


def test_the_embedded_stack_has_new_code_at_once_and_no_codedeploy_which_no_emulator_has(canary: Template) -> None:
    kinds = {one["Type"] for one in translate(at_once(canary))["Resources"].values()}

    assert not any("CodeDeploy" in kind or kind == "AWS::Lambda::Alias" for kind in kinds)
    assert not any("SnapStart" in one["Properties"] for one in at_once(canary)["Resources"].values())
    warm = at_once(canary)["Resources"]["CriticalWarmSchedule"]["Properties"]["Target"]
    assert warm["Arn"] == {"Fn::Sub": "${CriticalWorker.Arn}"}
    assert "AutoPublishAlias" in canary["Resources"]["Clock"]["Properties"], "the template itself stays as it is"


def test_a_role_that_may_call_the_function_and_not_its_alias_is_found_before_schedules_are_refused(
    canary: Template,
) -> None:
    clock = canary["Resources"]["SchedulerRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    clock["Resource"] = [one for one in clock["Resource"] if "Fn::Sub" not in one]

    (finding,) = found_in(canary)

    assert (finding.rule, finding.about) == ("aliases", "SchedulerRole")
    assert finding.todo == "SchedulerRole: Resource: !Sub ${Clock.Arn}:live, beside !GetAtt Clock.Arn"


def test_what_keeps_a_function_warm_calls_its_alias(canary: Template) -> None:
    graph = template_case(canary, None, parameters={"CriticalKeepWarm": "true"}).graph

    assert found_in(canary, CriticalKeepWarm="true") == []
    targets = {one.target.rpartition(":function:")[2] for one in graph.timers}
    assert targets == {"lanework-clock:live", "lanework-worker-critical:live"}


def test_a_mapping_that_passes_the_alias_by_is_found(canary: Template) -> None:
    canary["Resources"]["LowWorker"]["Properties"]["Events"] = {}
    canary["Resources"]["LowWorkerLane"] = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "FunctionName": {"Ref": "LowWorker"},
            "EventSourceArn": {"Fn::GetAtt": ["LowQueue", "Arn"]},
            "BatchSize": 1,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 2},
        },
    }

    (finding,) = found_in(canary)

    assert (finding.rule, finding.about) == ("aliases", "LowWorkerLane")
    assert finding.what == "it calls lanework-worker-low itself, and deployments shift its alias live"


ARN = "arn:aws:lambda:us-east-1:123456789012:function:shop-clock"


class Lambda:
    """A stack whose clock has an alias: what runs is the alias's version, and not what was deployed last."""

    def at(self, _: str, service: str, call: str, **asked: Any) -> Any:
        if service == "ec2":
            return None
        version = "live" if asked.get("Qualifier") == "live" else "$LATEST"
        answers: Template = {
            "get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 1000}},
            "get_function_concurrency": {},
            "get_function_recursion_config": {"RecursiveLoop": "Allow"},
            "get_function_configuration": {
                "FunctionArn": ARN if version == "$LATEST" else f"{ARN}:live",
                "Timeout": 60,
                "Role": "arn:aws:iam::123456789012:role/clock",
                "MemorySize": 256,
                "EphemeralStorage": {"Size": 512},
                "Environment": {"Variables": {"POWERTOOLS_LOG_LEVEL": "INFO" if version == "live" else "DEBUG"}},
            },
        }
        return answers[call]


def test_of_a_live_function_the_version_behind_its_alias_is_looked_at_since_that_is_what_runs() -> None:
    resources = (
        Resource(id="Clock", type="AWS::Lambda::Function", physical_id="shop-clock"),
        Resource(id="ClockAliaslive", type="AWS::Lambda::Alias", physical_id=f"{ARN}:live"),
    )
    stack: Any = Stack(name="shop", account="123456789012", parameters={}, resources=resources, skew=None)  # type: ignore[arg-type]
    look: Any = Lambda()

    graph = read_graph(stack, look, region="us-east-1")

    (clock,) = graph.functions
    assert (clock.arn, clock.variables) == (ARN, {"POWERTOOLS_LOG_LEVEL": "INFO"})
    assert graph.aliases == (Alias(id="ClockAliaslive", function="shop-clock", name="live"),)
