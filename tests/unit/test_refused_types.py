"""What an emulator's CloudFormation refuses a whole template for is left out, with what names it."""

from __future__ import annotations

from typing import Any

from lanework.local.deployment.refused_types import refused_types, without_types

ALARM = "AWS::CloudWatch::CompositeAlarm"


def a_template() -> dict[str, Any]:
    return {
        "Resources": {
            "Any": {"Type": ALARM},
            "Queue": {"Type": "AWS::SQS::Queue", "DependsOn": ["Any", "Topic"]},
            "Topic": {"Type": "AWS::SNS::Topic", "DependsOn": "Any"},
        },
        "Outputs": {
            "AnyArn": {"Value": {"Fn::GetAtt": ["Any", "Arn"]}},
            "AnyName": {"Value": {"Fn::Sub": "the ${Any.Name}"}},
            "QueueUrl": {"Value": {"Ref": "Queue"}},
        },
    }


def test_the_refusal_names_the_types() -> None:
    said = f"Template format error: Unrecognized resource types: [AWS::CodeDeploy::Application, {ALARM}]"

    assert refused_types(said) == {"AWS::CodeDeploy::Application", ALARM}
    assert refused_types(f"Unrecognized resource types: [{ALARM}, AWS::SQS::Quue]") == frozenset()
    assert refused_types("No updates are to be performed.") == frozenset()


def test_a_resource_goes_with_the_outputs_that_name_it_and_nothing_waits_for_it() -> None:
    template = a_template()

    less, left_out = without_types(template, {ALARM})

    assert left_out == {"Any": ALARM}
    assert less["Resources"] == {
        "Queue": {"Type": "AWS::SQS::Queue", "DependsOn": ["Topic"]},
        "Topic": {"Type": "AWS::SNS::Topic"},
    }
    assert list(less["Outputs"]) == ["QueueUrl"]
    assert template == a_template()
