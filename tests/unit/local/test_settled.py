"""A template for known values of its parameters says the same as with them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from lanework.doctor.template import graph_of
from lanework.errors import ConfigError
from lanework.local.deployment.parameter_values import parameter_values
from lanework.local.deployment.sam_transform import translate
from lanework.local.deployment.settled import settled
from lanework.local.deployment.template import read_template
from lanework.local.project_config import config_of
from lanework.starter.product import product_of

WHERE: Any = {"stack": "shop", "region": "eu-central-1", "account": "123456789012"}
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"

SMALL: dict[str, Any] = {
    "Parameters": {
        "Days": {"Type": "Number", "Default": 0},
        "Key": {"Type": "String", "Default": ""},
        "Secret": {"Type": "String", "NoEcho": True},
    },
    "Conditions": {
        "IsKept": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Days"}, "0"]}]},
        "IsHome": {"Fn::And": [{"Condition": "IsKept"}, {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}]},
        "IsSecret": {"Fn::Equals": [{"Ref": "Secret"}, "x"]},
    },
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Condition": "IsKept"},
        "Home": {"Type": "AWS::S3::Bucket", "Condition": "IsHome"},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "DependsOn": ["Bucket", "Home"],
            "Properties": {
                "QueueName": {"Fn::Sub": "${AWS::StackName}-${Days}-${Key}"},
                "DelaySeconds": {"Fn::If": ["IsHome", {"Ref": "Days"}, {"Ref": "AWS::NoValue"}]},
                "KmsMasterKeyId": {"Fn::If": ["IsKept", {"Ref": "Key"}, {"Ref": "AWS::NoValue"}]},
            },
        },
    },
}


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return translate(read_template(Path(__file__).parents[3] / "template.yaml"))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"kms_key": KEY, "events_to_bus": "all", "api_access": "none", "alarm_email": "ops@shop.example"},
        {"api_access": "jwt", "api_jwt_issuer": "https://id.shop.example", "api_jwt_audience": ["shop", "till"]},
        {"api_access": "private", "api_vpc_endpoints": ["vpce-1"], "log_format": "JSON", "log_level": "WARNING"},
        {"vpc_subnets": ["subnet-1", "subnet-2"], "vpc_security_groups": ["sg-1"], "critical_pollers": 5},
        {"critical_runs_on": "worker", "reserve_critical_concurrency": False, "role_path": "/jobs/"},
    ],
)
def test_the_graph_is_the_same(ours: dict[str, Any], given: dict[str, object]) -> None:
    values = parameter_values(ours["Parameters"], given)

    made = settled(ours, values)

    graphs = [graph_of(made, parameters={}, **WHERE), graph_of(ours, parameters=values, **WHERE)]
    for one in fields(graphs[0]):
        assert getattr(graphs[0], one.name) == getattr(graphs[1], one.name)
    assert {"Parameters", "Conditions", "Rules", "Metadata"}.isdisjoint(made)


def test_the_graph_is_the_same_with_two_lanes_and_a_gradual_deployment(tmp_path: Path) -> None:
    said = config_of({"lanes": ["high", "medium"], "deployment": "Canary10Percent5Minutes"}, tmp_path)
    template = tmp_path / "template.yaml"
    template.write_text(product_of(tmp_path, said, schedules="")["template.yaml"])
    translated = translate(read_template(template))
    values = parameter_values(translated["Parameters"], {"log_level": "DEBUG"})

    made = graph_of(settled(translated, values), parameters={}, **WHERE)

    assert graph_of(translated, parameters=values, **WHERE) == made
    assert {"HighWorkerDeploymentGroup", "MediumWorkerDeploymentGroup", "ClockDeploymentGroup"} == set(made.shifts)


def test_what_is_not_there_is_gone_with_what_depends_on_it() -> None:
    made = settled(SMALL, {"Days": "0", "Key": ""})

    assert {"Home", "Queue"} == set(made["Resources"])
    assert ["Home"] == made["Resources"]["Queue"]["DependsOn"]
    assert "KmsMasterKeyId" not in made["Resources"]["Queue"]["Properties"]


def test_a_condition_on_where_the_stack_is_or_on_a_secret_stays() -> None:
    made = settled(SMALL, {"Days": "3", "Key": "alias/shop"})

    assert {"IsHome", "IsSecret"} == set(made["Conditions"])
    assert ["Secret"] == list(made["Parameters"])
    assert {"Fn::Equals": ["true", "true"]} == made["Conditions"]["IsHome"]["Fn::And"][0]
    queue = made["Resources"]["Queue"]["Properties"]
    assert {"Fn::If": ["IsHome", "3", {"Ref": "AWS::NoValue"}]} == queue["DelaySeconds"]
    assert {"Fn::Sub": "${AWS::StackName}-3-alias/shop"} == queue["QueueName"]


def test_what_only_the_deployment_knows_is_a_value_of_a_text_s() -> None:
    made = settled(SMALL, {"Days": "3", "Key": "${Token[Key.Arn.1]}"})

    assert {"Fn::Sub": ["${AWS::StackName}-3-${Key}", {"Key": "${Token[Key.Arn.1]}"}]} == made["Resources"]["Queue"][
        "Properties"
    ]["QueueName"]


def test_values_that_break_a_rule_are_refused_in_its_words(ours: dict[str, Any]) -> None:
    values = parameter_values(ours["Parameters"], {"vpc_subnets": ["subnet-1"]})

    with pytest.raises(ConfigError, match=r"^Give VpcSubnets and VpcSecurityGroups together, or neither\.$"):
        settled(ours, values)
