"""CloudFormation's functions, worked out before a deployment."""

from __future__ import annotations

from typing import Any

import pytest

from lanework.doctor.intrinsics import Resolver
from lanework.doctor.policies import is_allowed, refuses_plain_text, statements_of

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Size": {"Type": "Number", "Default": 5}, "Mail": {"Type": "String", "Default": ""}},
    "Conditions": {
        "IsMailed": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Mail"}, ""]}]},
        "IsBoth": {"Fn::And": [{"Condition": "IsMailed"}, {"Fn::Equals": [{"Ref": "Size"}, "5"]}]},
        "IsEither": {"Fn::Or": [{"Condition": "IsMailed"}, {"Fn::Equals": [{"Ref": "Size"}, "5"]}]},
    },
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-high"}}},
        "Unnamed": {"Type": "AWS::SQS::Queue"},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}},
        "Mailing": {"Type": "AWS::SNS::Subscription", "Condition": "IsMailed"},
        "Role": {"Type": "AWS::IAM::Role"},
    },
}
PSEUDO = {"AWS::StackName": "shop", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}


def resolver(**parameters: str) -> Resolver:
    return Resolver(TEMPLATE, parameters=parameters, pseudo=PSEUDO)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ({"Ref": "Size"}, 5),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "Queue"}, "https://sqs.eu-west-1.amazonaws.com/123456789012/shop-high"),
        ({"Ref": "Topic"}, "arn:aws:sns:eu-west-1:123456789012:alarms"),
        ({"Ref": "Role"}, "Role"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:aws:sqs:eu-west-1:123456789012:shop-high"),
        ({"Fn::GetAtt": "Queue.Arn"}, "arn:aws:sqs:eu-west-1:123456789012:shop-high"),
        ({"Fn::GetAtt": ["Queue", "QueueName"]}, "shop-high"),
        ({"Fn::GetAtt": ["Unnamed", "Arn"]}, "arn:aws:sqs:eu-west-1:123456789012:Unnamed"),
        ({"Fn::Sub": "${Queue.Arn}/${Size}/${!Literal}"}, "arn:aws:sqs:eu-west-1:123456789012:shop-high/5/${!Literal}"),
        ({"Fn::Sub": ["${a}-${Size}", {"a": {"Ref": "AWS::StackName"}}]}, "shop-5"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Size"}]]}, "a-5"),
        ({"Fn::Select": [1, ["a", "b"]]}, "b"),
        ({"Fn::If": ["IsMailed", 1, 2]}, 2),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        ({"a": {"Fn::If": ["IsMailed", 1, {"Ref": "AWS::NoValue"}]}, "b": 1}, {"b": 1}),
    ],
)
def test_a_function_is_worked_out(written: object, means: object) -> None:
    assert resolver().value(written) == means


def test_what_has_no_name_of_its_own_is_called_as_the_deployed_one_is() -> None:
    deployed = Resolver(TEMPLATE, parameters={}, pseudo=PSEUDO, given={"Unnamed": "shop-Unnamed-1A2B", "Queue": "x"})

    arn = {"Fn::GetAtt": ["Unnamed", "Arn"]}
    assert (deployed.value(arn), deployed.name("Queue")) == (
        "arn:aws:sqs:eu-west-1:123456789012:shop-Unnamed-1A2B",
        "shop-high",
    )
    assert resolver().value(arn) == "arn:aws:sqs:eu-west-1:123456789012:Unnamed"


def test_a_parameter_that_is_given_decides_conditions_and_what_hangs_on_them() -> None:
    written = {"Fn::If": ["IsBoth", "both", {"Fn::If": ["IsEither", "either", "none"]}]}

    assert "Mailing" not in resolver().resources()
    assert "Mailing" in resolver(Mail="a@example.com").resources()
    assert resolver().value(written) == "either"
    assert resolver(Mail="a@example.com").value(written) == "both"
    assert resolver(Size="6").value(written) == "none"


def test_an_action_is_allowed_by_name_or_pattern_unless_it_is_denied() -> None:
    document = {
        "Statement": [
            {"Effect": "Allow", "Action": "sqs:Send*", "Resource": ["arn:q", "arn:r/*"]},
            {"Effect": "Deny", "Action": ["sqs:SendMessage"], "Resource": "arn:r/secret"},
        ]
    }
    statements = list(statements_of(document))

    assert is_allowed(statements, "sqs:sendMessage", "arn:q")
    assert is_allowed(statements, "sqs:SendMessage", "arn:r/a")
    assert not is_allowed(statements, "sqs:SendMessage", "arn:r/secret")
    assert not is_allowed(statements, "sqs:ReceiveMessage", "arn:q")
    assert not is_allowed(statements, "sqs:SendMessage", "arn:other")


@pytest.mark.parametrize(
    ("change", "refuses"),
    [
        ({}, True),
        ({"Action": "sqs:SendMessage"}, False),
        ({"Effect": "Allow"}, False),
        ({"Condition": {}}, False),
        ({"Resource": "arn:other"}, False),
        ({"Principal": {"AWS": "123456789012"}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": False}}}, True),
    ],
)
def test_a_policy_refuses_plain_text_only_if_it_denies_everything_to_everyone(
    change: dict[str, Any], refuses: bool
) -> None:
    denial = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": "arn:q",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }

    assert refuses_plain_text({"Statement": [{**denial, **change}]}, "arn:q") is refuses
