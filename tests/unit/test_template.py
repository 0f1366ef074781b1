"""template.yaml as CloudFormation will see it: five lanes alike, with the numbers of the code, and nothing too wide."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lanework.errors import StackError
from lanework.local.check import check_template, translate
from lanework.local.template import read_template
from lanework.model.lanes import DLQ_RETENTION, LANES, QUEUE_RETENTION, Lane

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def resources() -> Resources:
    found: Resources = translate(read_template(TEMPLATE))["Resources"]
    return found


def of(lane: Lane, kind: str, resources: Resources) -> dict[str, Any]:
    properties: dict[str, Any] = resources[f"{lane.value.capitalize()}{kind}"]["Properties"]
    return properties


def statements(resources: Resources) -> Iterator[dict[str, Any]]:
    for one in resources.values():
        properties = one.get("Properties", {})
        documents = [
            properties.get("PolicyDocument"),
            *(policy["PolicyDocument"] for policy in properties.get("Policies", [])),
        ]
        for document in filter(None, documents):
            for statement in document["Statement"]:
                yield statement.get("Fn::If", [None, statement])[1]


def test_cfn_lint_finds_nothing_to_say() -> None:
    assert check_template(TEMPLATE) == []


def test_the_five_lanes_differ_in_their_names_and_numbers_only(resources: Resources) -> None:
    def shape(lane: Lane) -> str:
        name = lane.value.capitalize()
        own = copy.deepcopy({key: one for key, one in sorted(resources.items()) if key.startswith(name)})
        own[f"{name}Worker"]["Properties"].pop("ReservedConcurrentExecutions", None)
        mapping = own[f"{name}WorkerLane"]["Properties"]
        mapping.pop("ProvisionedPollerConfig", None)
        mapping["ScalingConfig"] = mapping["ScalingConfig"].get("Fn::If", [mapping["ScalingConfig"]])[-1]
        kinds = "Queue|DeadLetter|Worker|IsOnLambda|Age|Errors|Throttles"
        unnamed = re.sub(rf"\b{name}(?={kinds})|\b{lane.value}\b", "<lane>", str(own))
        return re.sub(r"\d+", "#", unnamed)

    assert {shape(lane) for lane in Lane} == {shape(Lane.MEDIUM)}


@pytest.mark.parametrize("lane", Lane)
def test_a_lane_has_the_numbers_that_the_code_has(lane: Lane, resources: Resources) -> None:
    terms, worker, mapping = LANES[lane], of(lane, "Worker", resources), of(lane, "WorkerLane", resources)

    assert worker["Timeout"] == terms.timeout.total_seconds()
    assert mapping["BatchSize"] == terms.batch_size
    assert read_template(TEMPLATE)["Parameters"][f"{lane.capitalize()}Workers"]["Default"] == terms.workers
    assert f"{{'MaximumConcurrency': {{'Ref': '{lane.capitalize()}Workers'}}}}" in str(mapping["ScalingConfig"])
    assert worker["Environment"]["Variables"]["LANEWORK_LANE"] == lane.value


@pytest.mark.parametrize("lane", Lane)
def test_a_message_stays_hidden_just_longer_than_its_function_may_take(lane: Lane, resources: Resources) -> None:
    window = of(lane, "WorkerLane", resources)["MaximumBatchingWindowInSeconds"]
    timeout = of(lane, "Worker", resources)["Timeout"]

    assert of(lane, "Queue", resources)["VisibilityTimeout"] == timeout + window + 5


@pytest.mark.parametrize("lane", Lane)
def test_dead_letters_are_kept_longer_than_their_source(lane: Lane, resources: Resources) -> None:
    source, dead = of(lane, "Queue", resources), of(lane, "DeadLetterQueue", resources)

    assert source["MessageRetentionPeriod"] == QUEUE_RETENTION.total_seconds()
    assert dead["MessageRetentionPeriod"] == DLQ_RETENTION.total_seconds()
    assert source["RedrivePolicy"]["maxReceiveCount"] == 1000
    assert (
        source["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] == f"{lane.value.capitalize()}DeadLetterQueue"
    )


@pytest.mark.parametrize("lane", Lane)
def test_a_worker_answers_for_each_message_and_writes_to_its_own_log(lane: Lane, resources: Resources) -> None:
    name = lane.value.capitalize()

    assert of(lane, "WorkerLane", resources)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert of(lane, "Worker", resources)["LoggingConfig"] == {"LogGroup": {"Ref": f"{name}WorkerLogs"}}
    assert of(lane, "Worker", resources)["RecursiveLoop"] == "Allow"
    assert of(lane, "WorkerLogs", resources)["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_only_critical_is_reserved_and_as_wide_as_its_mapping(resources: Resources) -> None:
    workers = {lane: of(lane, "Worker", resources) for lane in Lane}

    assert [lane for lane, one in workers.items() if "ReservedConcurrentExecutions" in one] == [Lane.CRITICAL]
    reserved = workers[Lane.CRITICAL]["ReservedConcurrentExecutions"]
    assert reserved["Fn::If"][:2] == ["CriticalIsReserved", {"Ref": "CriticalWorkers"}]


def test_no_policy_allows_more_than_it_names(resources: Resources) -> None:
    allowed = [one for one in statements(resources) if one["Effect"] == "Allow"]
    words = [str(one["Action"]) + str(one.get("Resource", "")) for one in allowed]

    assert len(allowed) > 15
    unnamed = ("s3:::${ArchiveBucket}/${AWS::StackName}/jobs/*'}", ":schedule/${ScheduleGroup}/*'}")
    wide = [text for text in words if "*" in text]
    assert all(text.endswith(unnamed) for text in wide), "only objects and added schedules have names unknown before"
    assert len(wide) == len(unnamed)
    assert all("Resource" in one for one in allowed)


def test_every_queue_refuses_what_comes_without_tls(resources: Resources) -> None:
    queues = {name for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue"}
    policies = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::SQS::QueuePolicy"]
    denied = {
        policy["Queues"][0]["Ref"]
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        if statement["Resource"] == {"Fn::GetAtt": [policy["Queues"][0]["Ref"], "Arn"]}
    }

    assert len(queues) == 10
    assert denied == queues


def test_every_queue_and_table_is_encrypted_and_named_after_the_stack(resources: Resources) -> None:
    for one in resources.values():
        properties = one.get("Properties", {})
        if one["Type"] == "AWS::SQS::Queue":
            assert properties["SqsManagedSseEnabled"] is True
            assert properties["QueueName"]["Fn::Sub"].startswith("${AWS::StackName}-")
        if one["Type"] == "AWS::DynamoDB::Table":
            assert properties["SSESpecification"] == {"SSEEnabled": True}
            assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
            assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
            assert properties["TableName"]["Fn::Sub"].startswith("${AWS::StackName}-")


def test_the_check_finds_what_cfn_lint_misses_in_the_source(tmp_path: Path) -> None:
    broken = tmp_path / "template.yaml"
    text = TEMPLATE.read_text()
    for written, instead in (
        ("VisibilityTimeout: 65 ", "VisibilityTimeout: 55 "),
        ("MaximumConcurrency: !Ref MediumWorkers}", "MaximumConcurrency: 1}"),
        ("[ReportBatchItemFailures]", "[ReportBatchItemFailure]"),
    ):
        text = text.replace(written, instead, 1)
    broken.write_text(text)

    assert {problem.split()[0] for problem in check_template(broken)} >= {"E3505", "E3034", "E3030"}


def test_a_template_that_the_transform_refuses_is_told_why(tmp_path: Path) -> None:
    broken = tmp_path / "template.yaml"
    broken.write_text(TEMPLATE.read_text().replace("Queue: !GetAtt LowQueue.Arn", "Queues: []"))

    with pytest.raises(StackError, match="LowWorkerLane"):
        check_template(broken)


@pytest.mark.parametrize("policy", ["JobPolicy", "ProducerPolicy"])
def test_whoever_uses_the_ledger_may_do_all_that_its_code_does(policy: str, resources: Resources) -> None:
    code = "\n".join(file.read_text() for file in (TEMPLATE.parent / "shared" / "lanework" / "aws").glob("*.py"))
    calls = set(re.findall(r"(?:dynamodb|client)\.([a-z_]+_item|query|batch_execute_statement)\b", code))
    named = {"".join(word.capitalize() for word in call.split("_")) for call in calls}
    needed = named - {"BatchExecuteStatement"} | {"PartiQLInsert", "PartiQLUpdate"}
    allowed = {
        action.removeprefix("dynamodb:")
        for statement in resources[policy]["Properties"]["PolicyDocument"]["Statement"]
        for action in statement.get("Action", [])
        if action.startswith("dynamodb:")
    }

    assert {"PutItem", "UpdateItem", "BatchExecuteStatement", "BatchWriteItem"} <= named
    assert needed <= allowed


def test_the_clock_ticks_each_minute_under_a_name_of_its_own_stack(resources: Resources) -> None:
    tick = resources["ClockTick"]["Properties"]

    assert tick["ScheduleExpression"] == "rate(1 minute)"
    assert tick["Name"] == {"Fn::Sub": "${AWS::StackName}-tick"}
