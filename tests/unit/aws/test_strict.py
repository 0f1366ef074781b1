"""Strict clients refuse what AWS refuses, with AWS's errors, before anything is sent; all else goes out as it is."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from lanework.aws.clients import Clients, bare_session
from lanework.aws.strict.sqs import Receipts
from lanework.local.probe.table import behaviours
from lanework.settings import Settings
from lanework.testing import make_strict

QUEUE = "http://127.0.0.1:1/000000000000/q"
KEY = {"pk": {"S": "1"}}
TARGET: dict[str, Any] = {"Arn": "arn:aws:sqs:eu-west-1:000000000000:q", "RoleArn": "arn:aws:iam::000000000000:role/r"}
SCHEDULE: dict[str, Any] = {
    "Name": "s",
    "ScheduleExpression": "cron(0 9 ? * MON *)",
    "ScheduleExpressionTimezone": "Europe/Berlin",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": TARGET,
}
MEBIBYTE = 2**20
FUNCTION = {"FunctionName": "f", "Role": "r", "Code": {"ZipFile": b""}}


def attribute(value: str) -> dict[str, dict[str, str]]:
    return {"note": {"DataType": "String", "StringValue": value}}


def puts(count: int, size: int = 0) -> list[dict[str, Any]]:
    item = KEY | {"text": {"S": "x" * size}}
    return [{"Put": {"TableName": "t", "Item": item}} for _ in range(count)]


class Wire:
    """Stands where the network would be: keeps what is sent, and answers with what it is given."""

    def __init__(self, answer: object = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self._answer = json.dumps({} if answer is None else answer).encode()

    def __call__(self, request: Any, **_: object) -> AWSResponse:
        self.sent.append(json.loads(request.body or "{}") if request.body else {})
        raw = io.BytesIO(self._answer)
        raw.stream = lambda *_, **__: iter([self._answer])  # type: ignore[attr-defined]
        headers: Any = {"content-type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, 200, headers, raw)


@cache
def strict_client(service: Any) -> Any:
    session = bare_session("eu-west-1")
    make_strict(session)
    return session.client(service, endpoint_url="http://127.0.0.1:1", config=Config(parameter_validation=False))


def client(service: str, wire: Wire) -> Any:
    made = strict_client(service)
    made.meta.events.unregister("before-send", unique_id="wire")
    made.meta.events.register("before-send", wire, unique_id="wire")
    return made


REFUSED: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("sqs_delay", "sqs", "send_message", {"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue"),
    (
        "sqs_delay_on_fifo",
        "sqs",
        "send_message",
        {"QueueUrl": f"{QUEUE}.fifo", "MessageBody": "x", "DelaySeconds": 1, "MessageGroupId": "g"},
        "InvalidParameterValue",
    ),
    ("sqs_fifo_group", "sqs", "send_message", {"QueueUrl": f"{QUEUE}.fifo", "MessageBody": "x"}, "MissingParameter"),
    ("sqs_characters", "sqs", "send_message", {"MessageBody": "a\x00"}, "InvalidMessageContents"),
    ("sqs_empty_body", "sqs", "send_message", {"MessageBody": ""}, "MissingParameter"),
    ("sqs_message_size", "sqs", "send_message", {"MessageBody": "é" * (MEBIBYTE // 2 + 1)}, "InvalidParameterValue"),
    (
        "sqs_attributes_in_size",
        "sqs",
        "send_message",
        {"MessageBody": "x" * (MEBIBYTE - 10), "MessageAttributes": attribute("y")},
        "InvalidParameterValue",
    ),
    (
        "sqs_attribute_count",
        "sqs",
        "send_message",
        {"MessageBody": "x", "MessageAttributes": {f"a{number}": attribute("1")["note"] for number in range(11)}},
        "InvalidParameterValue",
    ),
    (
        "sqs_empty_attribute",
        "sqs",
        "send_message",
        {"MessageBody": "x", "MessageAttributes": attribute("")},
        "InvalidParameterValue",
    ),
    ("sqs_group_id", "sqs", "send_message", {"MessageBody": "x", "MessageGroupId": "a b"}, "InvalidParameterValue"),
    (
        "sqs_batch_entries",
        "sqs",
        "send_message_batch",
        {"Entries": [{"Id": str(number), "MessageBody": "x"} for number in range(11)]},
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    ),
    ("sqs_empty_batch", "sqs", "send_message_batch", {"Entries": []}, "AWS.SimpleQueueService.EmptyBatchRequest"),
    (
        "sqs_batch_size",
        "sqs",
        "send_message_batch",
        {"Entries": [{"Id": one, "MessageBody": "x" * (MEBIBYTE // 2 + 1)} for one in "ab"]},
        "AWS.SimpleQueueService.BatchRequestTooLong",
    ),
    (
        "sqs_batch_ids_differ",
        "sqs",
        "send_message_batch",
        {"Entries": [{"Id": "a", "MessageBody": "x"}] * 2},
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    ),
    (
        "sqs_batch_entry_id",
        "sqs",
        "send_message_batch",
        {"Entries": [{"Id": "a/b", "MessageBody": "x"}]},
        "AWS.SimpleQueueService.InvalidBatchEntryId",
    ),
    ("sqs_receive_count", "sqs", "receive_message", {"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
    ("sqs_long_poll", "sqs", "receive_message", {"WaitTimeSeconds": 21}, "InvalidParameterValue"),
    (
        "sqs_visibility",
        "sqs",
        "change_message_visibility",
        {"ReceiptHandle": "h", "VisibilityTimeout": 43_201},
        "InvalidParameterValue",
    ),
    (
        "dynamodb_item_size",
        "dynamodb",
        "put_item",
        {"TableName": "t", "Item": KEY | {"text": {"S": "x" * (400 * 1024 - 6)}}},
        "ValidationException",
    ),
    (
        "dynamodb_number_precision",
        "dynamodb",
        "put_item",
        {"TableName": "t", "Item": KEY | {"all": {"L": [{"M": {"n": {"N": f"0.{'1' * 39}"}}}]}}},
        "ValidationException",
    ),
    (
        "dynamodb_expression_size",
        "dynamodb",
        "update_item",
        {"TableName": "t", "Key": KEY, "UpdateExpression": f"SET {'a' * 4093}"},
        "ValidationException",
    ),
    (
        "dynamodb_transaction_items",
        "dynamodb",
        "transact_write_items",
        {"TransactItems": puts(101)},
        "ValidationException",
    ),
    (
        "dynamodb_transaction_size",
        "dynamodb",
        "transact_write_items",
        {"TransactItems": puts(11, 399_000)},
        "ValidationException",
    ),
    (
        "dynamodb_batch_write_items",
        "dynamodb",
        "batch_write_item",
        {"RequestItems": {"t": [{"PutRequest": {"Item": KEY}}] * 26}},
        "ValidationException",
    ),
    (
        "dynamodb_batch_get_items",
        "dynamodb",
        "batch_get_item",
        {"RequestItems": {"t": {"Keys": [KEY] * 101}}},
        "ValidationException",
    ),
    (
        "dynamodb_partiql_statements",
        "dynamodb",
        "batch_execute_statement",
        {"Statements": [{"Statement": "s"}] * 26},
        "ValidationException",
    ),
    ("scheduler_name", "scheduler", "create_schedule", SCHEDULE | {"Name": "a/b"}, "ValidationException"),
    ("scheduler_name_size", "scheduler", "create_schedule", SCHEDULE | {"Name": "n" * 65}, "ValidationException"),
    (
        "scheduler_expression",
        "scheduler",
        "create_schedule",
        SCHEDULE | {"ScheduleExpression": "cron(0 9 * * *)"},
        "ValidationException",
    ),
    (
        "scheduler_zone",
        "scheduler",
        "create_schedule",
        SCHEDULE | {"ScheduleExpressionTimezone": "Europe/Nowhere"},
        "ValidationException",
    ),
    (
        "scheduler_retries",
        "scheduler",
        "update_schedule",
        SCHEDULE | {"Target": {**TARGET, "RetryPolicy": {"MaximumRetryAttempts": 186}}},
        "ValidationException",
    ),
    (
        "scheduler_event_age",
        "scheduler",
        "create_schedule",
        SCHEDULE | {"Target": {**TARGET, "RetryPolicy": {"MaximumEventAgeInSeconds": 59}}},
        "ValidationException",
    ),
    ("events_entries", "events", "put_events", {"Entries": [{"Detail": "{}"}] * 11}, "ValidationException"),
    ("events_size", "events", "put_events", {"Entries": [{"Detail": "x" * (MEBIBYTE + 1)}]}, "ValidationException"),
    ("sns_subject", "sns", "publish", {"TopicArn": "a", "Message": "x", "Subject": "s" * 101}, "InvalidParameter"),
    ("ssm_size", "ssm", "put_parameter", {"Name": "/a", "Value": "x" * 4097, "Type": "String"}, "ValidationException"),
    (
        "lambda_payload",
        "lambda",
        "invoke",
        {"FunctionName": "f", "Payload": b"x" * (6 * MEBIBYTE + 1)},
        "RequestEntityTooLargeException",
    ),
    (
        "lambda_async_payload",
        "lambda",
        "invoke",
        {"FunctionName": "f", "InvocationType": "Event", "Payload": "x" * (MEBIBYTE + 1)},
        "RequestEntityTooLargeException",
    ),
    (
        "lambda_reserved_variable",
        "lambda",
        "create_function",
        FUNCTION | {"Environment": {"Variables": {"AWS_REGION": "x"}}},
        "InvalidParameterValueException",
    ),
    (
        "lambda_environment_size",
        "lambda",
        "create_function",
        FUNCTION | {"Environment": {"Variables": {"LARGE": "x" * 4090}}},
        "InvalidParameterValueException",
    ),
    (
        "lambda_variable_name",
        "lambda",
        "update_function_configuration",
        {"FunctionName": "f", "Environment": {"Variables": {"A": "x"}}},
        "ValidationException",
    ),
    ("lambda_timeout", "lambda", "create_function", FUNCTION | {"Timeout": 901}, "ValidationException"),
    (
        "mapping_least_concurrency",
        "lambda",
        "create_event_source_mapping",
        {"FunctionName": "f", "ScalingConfig": {"MaximumConcurrency": 1}},
        "ValidationException",
    ),
    (
        "mapping_window",
        "lambda",
        "create_event_source_mapping",
        {"FunctionName": "f", "BatchSize": 11},
        "InvalidParameterValueException",
    ),
]

OTHERWISE = {"sqs_visibility_in_total", "sqs_batch_partial_failure", "events_detail_is_json", "events_detail_type"}
"""Lines that a test of its own is about."""


@pytest.mark.parametrize(("line", "service", "operation", "call", "code"), REFUSED, ids=[one[0] for one in REFUSED])
def test_what_aws_refuses_is_refused_with_its_error_and_not_sent(
    line: str, service: str, operation: str, call: dict[str, Any], code: str
) -> None:
    wire = Wire()
    given = {"QueueUrl": QUEUE, **call} if service == "sqs" else call

    with pytest.raises(ClientError) as refused:
        getattr(client(service, wire), operation)(**given)

    assert refused.value.response["Error"]["Code"] == code
    assert wire.sent == []
    assert behaviours()[line].strict


def test_every_strict_line_is_shown_here() -> None:
    assert {one.id for one in behaviours().values() if one.strict} == {one[0] for one in REFUSED} | OTHERWISE


@pytest.mark.parametrize(
    ("service", "operation", "call"),
    [
        ("sqs", "send_message", {"QueueUrl": QUEUE, "MessageBody": "x" * MEBIBYTE, "DelaySeconds": 900}),
        ("sqs", "send_message", {"QueueUrl": QUEUE, "MessageBody": "\t\r\né\U0001f600", "MessageGroupId": "tenant#1"}),
        (
            "sqs",
            "send_message",
            {"QueueUrl": f"{QUEUE}.fifo", "MessageBody": "x", "DelaySeconds": 0, "MessageGroupId": "g"},
        ),
        ("dynamodb", "put_item", {"TableName": "t", "Item": KEY | {"text": {"S": "x" * (400 * 1024 - 7)}}}),
        ("dynamodb", "put_item", {"TableName": "t", "Item": KEY | {"n": {"N": f"{'1' * 38}{'0' * 50}"}}}),
        ("dynamodb", "transact_write_items", {"TransactItems": puts(100)}),
        ("scheduler", "create_schedule", SCHEDULE),
        ("scheduler", "create_schedule", SCHEDULE | {"ScheduleExpression": "rate(5 minutes)"}),
        ("scheduler", "create_schedule", SCHEDULE | {"ScheduleExpression": "at(2026-11-30T10:00:00)"}),
        ("lambda", "create_function", FUNCTION | {"Timeout": 900, "Environment": {"Variables": {"A1": "x" * 4000}}}),
        ("ssm", "put_parameter", {"Name": "/a", "Value": "x" * 8000, "Type": "String", "Tier": "Advanced"}),
    ],
)
def test_what_aws_takes_is_sent(service: str, operation: str, call: dict[str, Any]) -> None:
    wire = Wire({"MessageId": "1", "ScheduleArn": "a", "Version": 1})

    getattr(client(service, wire), operation)(**call)

    assert len(wire.sent) == 1


def test_an_entry_that_aws_fails_is_among_the_failed_and_the_others_are_sent() -> None:
    wire = Wire(
        {"Successful": [{"Id": "good", "MessageId": "1", "MD5OfMessageBody": "9dd4e461268c8034f5c8564e155c67a6"}]}
    )
    entries: list[dict[str, Any]] = [
        {"Id": "late", "MessageBody": "x", "DelaySeconds": 901},
        {"Id": "good", "MessageBody": "x"},
    ]

    answer = client("sqs", wire).send_message_batch(QueueUrl=QUEUE, Entries=entries)

    assert [one["Id"] for one in wire.sent[0]["Entries"]] == ["good"]
    assert [one["Id"] for one in answer["Successful"]] == ["good"]
    assert [(one["Id"], one["Code"], one["SenderFault"]) for one in answer["Failed"]] == [
        ("late", "InvalidParameterValue", True)
    ]
    assert [one["Id"] for one in entries] == ["late", "good"]


def test_a_batch_whose_every_entry_fails_is_not_sent() -> None:
    wire = Wire()
    entries = [{"Id": "late", "MessageBody": "x", "DelaySeconds": 901}]

    answer = client("sqs", wire).send_message_batch(QueueUrl=QUEUE, Entries=entries)

    assert (wire.sent, answer["Successful"], len(answer["Failed"])) == ([], [], 1)


def test_an_event_that_fails_keeps_its_place_in_the_answer() -> None:
    wire = Wire({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    entries: list[dict[str, str]] = [
        {"Source": "s", "DetailType": "d", "Detail": "not JSON"},
        {"Source": "s", "DetailType": "d", "Detail": "{}"},
        {"Source": "s", "DetailType": "", "Detail": "{}"},
    ]

    answer = client("events", wire).put_events(Entries=entries)

    assert answer["FailedEntryCount"] == 2
    assert [one.get("ErrorCode") for one in answer["Entries"]] == ["MalformedDetail", None, "InvalidArgument"]


@pytest.mark.parametrize(("seconds", "is_refused"), [(43_199, False), (43_200, True)])
def test_a_message_is_not_hidden_beyond_12_hours_after_its_receive(seconds: int, *, is_refused: bool) -> None:
    now = [0.0]
    receipts = Receipts(clock=lambda: now[0])
    receipts.note(parsed={"Messages": [{"ReceiptHandle": "h"}]})
    now[0] = 1.0
    context: dict[str, Any] = {}
    receipts.keep(params={"ReceiptHandle": "h", "VisibilityTimeout": seconds}, context=context)

    answer = receipts.judge(context=context)

    assert (answer is not None) == is_refused
    assert answer is None or "beyond the limit [43200 seconds]" in answer[1]["Error"]["Message"]


def test_an_error_has_the_class_of_its_clients_exceptions() -> None:
    scheduler = client("scheduler", Wire())

    with pytest.raises(scheduler.exceptions.ValidationException):
        scheduler.create_schedule(**{**SCHEDULE, "Name": "a/b"})


@pytest.mark.parametrize(("endpoint", "is_strict"), [("http://127.0.0.1:1", True), (None, False)])
def test_lanework_s_own_clients_are_strict_where_the_endpoint_is_an_emulator(
    endpoint: str | None, *, is_strict: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    wire: Any = Wire({"MessageId": "1"})
    sqs = Clients(Settings(stack="s", region="eu-west-1", endpoint=endpoint)).sqs
    sqs.meta.events.register("before-send", wire)

    if is_strict:
        with pytest.raises(ClientError):
            sqs.send_message(QueueUrl=QUEUE, MessageBody="x", DelaySeconds=901)
    else:
        sqs.send_message(QueueUrl=QUEUE, MessageBody="x", DelaySeconds=901)

    assert bool(wire.sent) != is_strict
