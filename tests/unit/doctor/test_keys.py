"""What the doctor says of a customer's KMS key: who must be allowed to use it, on a template and on a live stack."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lanework.aws.deployed.keys import Keys
from lanework.aws.deployed.stack import Resource
from lanework.doctor.case import Finding, examine
from lanework.doctor.resources import Key
from lanework.doctor.rules import RULES
from lanework.local.deployment.template import read_template
from lanework.local.doctor_input import template_case

ROOT = Path(__file__).parents[3]
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PLACED = {"VpcSubnets": "subnet-1,subnet-2", "VpcSecurityGroups": "sg-1"}
EVERYBODY_OF_THE_ACCOUNT = {"Effect": "Allow", "Principal": {"AWS": "root"}, "Action": "kms:*", "Resource": "*"}
LOGS = {"Effect": "Allow", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}
ALARMS = {
    "Effect": "Allow",
    "Principal": {"Service": ["cloudwatch.amazonaws.com"]},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Resource": "*",
}

Template = dict[str, Any]


@pytest.fixture
def ours() -> Template:
    return read_template(ROOT / "template.yaml")


def found_in(template: Template, **parameters: str) -> list[Finding]:
    return examine(template_case(template, None, parameters=parameters), RULES)


def test_a_key_by_parameter_encrypts_all_that_holds_data_and_everybody_may_use_it(ours: Template) -> None:
    assert found_in(ours, KmsKey=KEY, EventsToBus="all") == []
    graph = template_case(ours, None, parameters={"KmsKey": KEY, "EventsToBus": "all"}).graph

    assert (len(graph.queues), len(graph.tables), len(graph.topics), len(graph.log_groups)) == (10, 2, 1, 9)
    kept = (*graph.queues, *graph.tables, *graph.topics, *graph.log_groups)
    assert {getattr(one, "key", None) for one in kept} == {KEY}
    assert all(one.is_encrypted for one in graph.queues)


def test_without_the_parameter_no_role_may_use_any_key(ours: Template) -> None:
    graph = template_case(ours, None, parameters={"EventsToBus": "all"}).graph

    assert {one.key for one in graph.queues} == {one.key for one in graph.log_groups} == {None}
    actions = [action for role in graph.roles for one in role.statements for action in one.actions]
    assert not any(action.startswith("kms:") for action in actions)


def test_the_services_use_the_key_so_functions_in_a_vpc_need_no_endpoint_for_it(ours: Template) -> None:
    graph = template_case(ours, None, parameters={"KmsKey": KEY, **PLACED}).graph
    by_key = [one for role in graph.roles for one in role.statements if "kms:Decrypt" in one.actions]

    assert len(by_key) == 7
    assert all(one.is_by_services and one.resources == (KEY,) for one in by_key)


@pytest.mark.parametrize("policy", ["JobPolicy", "ProducerPolicy", "EnqueuePolicy"])
def test_whoever_sends_to_encrypted_queues_may_use_the_key_by_the_services_alone(policy: str, ours: Template) -> None:
    statements = ours["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]
    (key,) = [one["Fn::If"][1] for one in statements if one.get("Fn::If", [""])[0] == "DataHasKey"]

    assert {"kms:Decrypt", "kms:GenerateDataKey"} <= set(key["Action"])
    services = {one["Fn::Sub"].partition(".")[0] for one in key["Condition"]["StringEquals"]["kms:ViaService"]}
    assert services >= {"dynamodb", "sqs"}


@pytest.mark.parametrize(
    ("policy", "about", "what"),
    [
        ("JobPolicy", "LowWorkerRole", "lanework-worker-low may not kms:Decrypt, kms:GenerateDataKey on "),
        ("ProducerPolicy", "ClockRole", "lanework-clock may not kms:Decrypt, kms:GenerateDataKey on "),
    ],
)
def test_a_key_without_rights_is_found_before_each_message_is_refused(
    policy: str, about: str, what: str, ours: Template
) -> None:
    document = ours["Resources"][policy]["Properties"]["PolicyDocument"]
    document["Statement"] = [one for one in document["Statement"] if one.get("Fn::If", [""])[0] != "DataHasKey"]

    findings = found_in(ours, KmsKey=KEY)

    assert {one.rule for one in findings} == {"permissions"}
    (mine,) = [one for one in findings if one.about == about]
    assert mine.what.startswith(what)
    assert KEY.partition("aws:")[2] in mine.what


def with_own_key(template: Template, *statements: Template) -> list[Finding]:
    """Return what is found where the template makes the key that everything is encrypted with."""
    policy = {"Version": "2012-10-17", "Statement": [EVERYBODY_OF_THE_ACCOUNT, *statements]}
    template["Resources"]["Key"] = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
    text = json.dumps(template).replace('{"Ref": "KmsKey"}', '{"Fn::GetAtt": ["Key", "Arn"]}')
    return found_in(json.loads(text.replace('["Key", "Arn"]}, ""]', '["Key", "Arn"]}, "none"]')))


def test_a_key_that_lets_in_alarms_and_logs_is_whole(ours: Template) -> None:
    assert with_own_key(ours, ALARMS, LOGS) == []


def test_the_policy_that_the_guide_shows_lets_in_whom_it_must(ours: Template) -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text()
    (shown,) = [
        json.loads(one) for one in re.findall(r"```json\n(.+?)```", guide, re.DOTALL) if "AlarmsToTheirTopic" in one
    ]

    here = json.loads(json.dumps(shown).replace("eu-central-1", "us-east-1"))
    assert with_own_key(ours, *here) == []


def test_alarms_that_could_not_publish_are_found(ours: Template) -> None:
    (finding,) = with_own_key(ours, LOGS)

    assert (finding.rule, finding.about) == ("keys", "AlarmTopic")
    assert "doesn't let cloudwatch.amazonaws.com kms:Decrypt, kms:GenerateDataKey" in finding.what
    assert "Principal: {Service: cloudwatch.amazonaws.com}" in finding.todo


def test_logs_that_cloudformation_would_refuse_are_found(ours: Template) -> None:
    findings = with_own_key(ours, ALARMS)

    assert {one.rule for one in findings} == {"keys"}
    assert {"ClockLogs", "LowWorkerLogs", "ApiAccessLogs"} <= {one.about for one in findings}


def test_snss_own_key_is_none_that_an_alarm_may_use(ours: Template) -> None:
    ours["Resources"]["AlarmTopic"]["Properties"]["KmsMasterKeyId"] = "alias/aws/sns"

    (finding,) = found_in(ours)

    assert (finding.rule, finding.about) == ("keys", "AlarmTopic")


class Kms:
    """Answers as KMS does, or refuses."""

    def __init__(self, manager: str, *refused: str) -> None:
        self._manager, self._refused = manager, refused

    def at(self, on: str, service: str, call: str, **asked: Any) -> Any:
        assert (on, service) == (KEY, "kms") == (asked["KeyId"], "kms")
        if call in self._refused:
            return None
        answers: Template = {
            "describe_key": {"KeyMetadata": {"KeyManager": self._manager, "KeyState": "Disabled"}},
            "get_key_policy": {"Policy": json.dumps({"Statement": [ALARMS]})},
        }
        return answers[call]


class Stack:
    """A stack that has the key, or not."""

    def __init__(self, *, owns: bool) -> None:
        kind = Resource(id="Key", type="AWS::KMS::Key", physical_id=KEY.rpartition("/")[2])
        self.resources = (kind,) if owns else ()


def keys(look: Kms, *, owns: bool = False) -> Keys:
    stack: Any = Stack(owns=owns)
    answering: Any = look
    return Keys(stack, answering)


def test_awss_own_key_of_a_table_is_none_of_the_customers_though_its_arn_looks_alike() -> None:
    assert keys(Kms("AWS")).customers(KEY) is None
    assert keys(Kms("CUSTOMER")).customers(KEY) == KEY
    assert keys(Kms("CUSTOMER", "describe_key")).customers(KEY) == KEY


def test_a_stacks_own_key_is_called_as_in_its_template_and_its_policy_is_read() -> None:
    own = keys(Kms("CUSTOMER"), owns=True)

    assert own.name_of(KEY) == "Key"
    allowed = ("kms:Decrypt", "kms:GenerateDataKey*")
    assert own.found == {"Key": Key(is_on=False, services={"cloudwatch.amazonaws.com": allowed})}


def test_of_a_key_whose_policy_may_not_be_read_nothing_is_claimed() -> None:
    refused = keys(Kms("CUSTOMER", "get_key_policy"))

    assert refused.name_of(KEY) == KEY
    assert refused.found == {}
