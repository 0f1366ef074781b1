"""template.yaml as CloudFormation will see it. What holds for any project's template is a rule of the doctor's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lanework.doctor.rules.permissions import LEDGER
from lanework.errors import StackError
from lanework.local.deployment.sam_transform import lint_template, translate
from lanework.local.deployment.template import read_template
from lanework.model.lanes import DLQ_RETENTION, LANES, QUEUE_RETENTION, Lane

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def resources() -> Resources:
    found: Resources = translate(read_template(TEMPLATE))["Resources"]
    return found


def of(lane: Lane, kind: str, resources: Resources) -> dict[str, Any]:
    properties: dict[str, Any] = resources[f"{lane.value.capitalize()}{kind}"]["Properties"]
    return properties


def test_cfn_lint_finds_nothing_to_say() -> None:
    assert lint_template(read_template(TEMPLATE)) == []


@pytest.mark.parametrize("lane", Lane)
def test_a_lane_has_as_many_workers_as_the_code_says_and_a_message_stays_hidden_no_longer_than_it_must(
    lane: Lane, resources: Resources
) -> None:
    worker, mapping = of(lane, "Worker", resources), of(lane, "WorkerLane", resources)
    size = read_template(TEMPLATE)["Parameters"][f"{lane.capitalize()}Workers"]

    assert (size["Default"], size["MinValue"], size["MaxValue"]) == (LANES[lane].workers, 2, 1000)
    assert f"{{'MaximumConcurrency': {{'Ref': '{lane.capitalize()}Workers'}}}}" in str(mapping["ScalingConfig"])
    window = mapping["MaximumBatchingWindowInSeconds"]
    assert of(lane, "Queue", resources)["VisibilityTimeout"] == worker["Timeout"] + window + 5


@pytest.mark.parametrize("lane", Lane)
def test_queues_keep_messages_as_long_as_the_code_counts_on(lane: Lane, resources: Resources) -> None:
    source, dead = of(lane, "Queue", resources), of(lane, "DeadLetterQueue", resources)

    assert source["MessageRetentionPeriod"] == QUEUE_RETENTION.total_seconds()
    assert dead["MessageRetentionPeriod"] == DLQ_RETENTION.total_seconds()
    assert source["RedrivePolicy"]["maxReceiveCount"] == 1000


def test_only_critical_is_reserved_and_as_wide_as_its_mapping(resources: Resources) -> None:
    workers = {lane: of(lane, "Worker", resources) for lane in Lane}

    assert [lane for lane, one in workers.items() if "ReservedConcurrentExecutions" in one] == [Lane.CRITICAL]
    reserved = workers[Lane.CRITICAL]["ReservedConcurrentExecutions"]
    assert reserved["Fn::If"][:2] == ["ConcurrencyIsReserved", {"Ref": "CriticalWorkers"}]


def test_every_name_begins_with_the_stacks_so_that_two_stacks_do_not_collide(resources: Resources) -> None:
    keys = ("QueueName", "TableName", "FunctionName", "LayerName", "LogGroupName", "AlarmName", "TopicName")
    names = [one["Properties"][key] for one in resources.values() for key in keys if key in one.get("Properties", {})]
    written = [one["Fn::Sub"] for one in names if "Fn::Sub" in one]

    assert len(written) > 40
    assert all(one.removeprefix("/aws/lambda/").startswith("${AWS::StackName}-") for one in written)
    assert resources["ClockTick"]["Properties"]["Name"] == {"Fn::Sub": "${AWS::StackName}-tick"}


def test_lint_of_the_translated_template_finds_what_it_misses_in_the_source(tmp_path: Path) -> None:
    broken = tmp_path / "template.yaml"
    text = TEMPLATE.read_text()
    for written, instead in (
        ("VisibilityTimeout: 65 ", "VisibilityTimeout: 55 "),
        ("MaximumConcurrency: !Ref MediumWorkers}", "MaximumConcurrency: 1}"),
        ("[ReportBatchItemFailures]", "[ReportBatchItemFailure]"),
    ):
        text = text.replace(written, instead, 1)
    broken.write_text(text)

    assert {problem.split()[0] for problem in lint_template(read_template(broken))} >= {"E3505", "E3034", "E3030"}


def test_a_template_that_the_transform_refuses_is_told_why(tmp_path: Path) -> None:
    broken = tmp_path / "template.yaml"
    broken.write_text(TEMPLATE.read_text().replace("Queue: !GetAtt LowQueue.Arn", "Queues: []"))

    with pytest.raises(StackError, match="LowWorkerLane"):
        lint_template(read_template(broken))


@pytest.mark.parametrize("policy", ["JobPolicy", "ProducerPolicy"])
def test_whoever_uses_the_ledger_may_do_all_that_its_code_does(policy: str, resources: Resources) -> None:
    code = "\n".join(file.read_text() for file in (TEMPLATE.parent / "shared" / "lanework" / "aws").rglob("*.py"))
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
    assert needed == set(LEDGER), "the doctor looks for what the code does"
    assert needed <= allowed


@pytest.mark.parametrize("policy", ["JobPolicy", "ProducerPolicy"])
def test_whoever_ends_a_job_may_bury_what_dies_of_it_in_any_lane(policy: str, resources: Resources) -> None:
    queues = {
        resource["Fn::GetAtt"][0]
        for statement in resources[policy]["Properties"]["PolicyDocument"]["Statement"]
        if "sqs:SendMessage" in statement.get("Action", [])
        for resource in statement["Resource"]
    }

    assert {f"{lane.capitalize()}DeadLetterQueue" for lane in Lane} <= queues


def actions_on_ssm(role: str, resources: Resources) -> set[str]:
    """Return the parameters, as the template names them, that a role may read."""
    always_or_if = resources[role]["Properties"].get("ManagedPolicyArns", [])
    attached = [one.get("Fn::If", ("", one))[1]["Ref"] for one in always_or_if]
    documents = [resources[one]["Properties"]["PolicyDocument"] for one in attached]
    documents += [one["PolicyDocument"] for one in resources[role]["Properties"].get("Policies", [])]
    return set(re.findall(r"parameter\\?\$\{(\w+)\}", str(documents)))


def test_only_what_runs_jobs_may_read_what_they_send_by(resources: Resources) -> None:
    mine = {"WebhookParameter"}

    assert actions_on_ssm("ClockRole", resources) == mine | {"AlertWebhookParameter"}
    assert actions_on_ssm("ApiRole", resources) == mine | {"ApiTokensParameter"}
    assert actions_on_ssm("EventsRole", resources) == set()
    secrets = {"SmtpCredentialsParameter", "GatewayTokenParameter", "WebhookSecretParameter"}
    assert {lane: actions_on_ssm(f"{lane.capitalize()}WorkerRole", resources) for lane in Lane} == dict.fromkeys(
        Lane, mine | secrets
    )


@pytest.mark.parametrize("function", ["Clock", "ApiFunction", "EventsFunction"])
def test_what_runs_no_job_is_not_even_told_where_their_secrets_are(function: str, resources: Resources) -> None:
    variables = resources[function]["Properties"]["Environment"]["Variables"]

    assert ("", "") == (variables["SMTP_CREDENTIALS_PARAMETER"], variables["GATEWAY_TOKEN_PARAMETER"])
    assert "LANEWORK_WEBHOOK" not in variables, "its address may hold a token"


@pytest.mark.parametrize("lane", Lane)
def test_a_dead_letter_queue_takes_from_its_own_lane_only(lane: Lane, resources: Resources) -> None:
    allowed = of(lane, "DeadLetterQueue", resources)["RedriveAllowPolicy"]

    assert allowed["redrivePermission"] == "byQueue"
    (source,) = allowed["sourceQueueArns"]
    assert source["Fn::Sub"].endswith(of(lane, "Queue", resources)["QueueName"]["Fn::Sub"])


def test_the_alarms_topic_takes_nothing_without_tls_and_alarms_of_this_account(resources: Resources) -> None:
    alarms, tls = resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (alarms["Effect"], alarms["Principal"]) == ("Allow", {"Service": "cloudwatch.amazonaws.com"})
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_requests_are_logged_without_what_may_be_secret_in_them(resources: Resources) -> None:
    log = resources["ApiStage"]["Properties"]["AccessLogSettings"]

    assert log["DestinationArn"] == {"Fn::GetAtt": ["ApiAccessLogs", "Arn"]}
    assert resources["ApiAccessLogs"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert set(json.loads(log["Format"])) == {
        "requestId",
        "time",
        "ip",
        "method",
        "path",
        "status",
        "bytes",
        "ms",
        "error",
    }
    assert not re.search("query|header|authoriz|cookie|body", log["Format"], flags=re.IGNORECASE)


def test_the_api_takes_no_more_executions_from_the_lanes_than_it_is_given(resources: Resources) -> None:
    reserved = resources["ApiFunction"]["Properties"]["ReservedConcurrentExecutions"]

    assert reserved["Fn::If"][:2] == ["ApiIsCapped", {"Ref": "ApiConcurrency"}]


def test_each_exception_of_the_scan_has_its_reason_beside_it() -> None:
    lines = (TEMPLATE.parent / ".checkov.yaml").read_text().splitlines()
    exceptions = [number for number, line in enumerate(lines) if "CKV" in line]

    assert exceptions
    assert all(lines[number - 1].strip().startswith("# ") for number in exceptions)


def test_each_parameter_is_in_one_group_of_the_consoles_form() -> None:
    template = read_template(TEMPLATE)
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    named = [name for group in groups for name in group["Parameters"]]

    assert sorted(named) == sorted(template["Parameters"])
