"""What Lanework asks of an emulator beyond the contract's ports, each a question that its answer settles."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lanework.errors import StackError
from lanework.local.deployment.deploy import host_parameters
from lanework.local.emulator.process import wait_for
from tests.support.localstack_session import session_for

SOON = timedelta(seconds=20)

FUNCTION = """
def handler(event, context):
    return {"sum": sum(event.get("numbers", []))}
"""


def can(endpoint: str, question: str) -> bool:
    """Ask an emulator; an error of its is a no, and so is an answer that doesn't come."""
    try:
        return QUESTIONS[question](session_for(endpoint, attempts=1))
    except (ClientError, BotoCoreError, ResponseParserError, StackError):
        return False


def _moves_natively(session: Any) -> bool:
    sqs = session.client("sqs")
    source, letters, arn = _queue_with_letters(sqs, receives=1000)
    target = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.send_message(QueueUrl=letters, MessageBody="ticket")
    sqs.start_message_move_task(SourceArn=arn, DestinationArn=target)
    answer = sqs.receive_message(QueueUrl=source, WaitTimeSeconds=10)
    return [one["Body"] for one in answer.get("Messages", [])] == ["ticket"]


def _gives_up(session: Any) -> bool:
    sqs = session.client("sqs")
    source, letters, _ = _queue_with_letters(sqs, receives=1)
    sqs.send_message(QueueUrl=source, MessageBody="again and again")
    for _ in range(2):
        sqs.receive_message(QueueUrl=source, VisibilityTimeout=0)
    return bool(sqs.receive_message(QueueUrl=letters, WaitTimeSeconds=5).get("Messages"))


def _takes_a_mebibyte(session: Any) -> bool:
    sqs = session.client("sqs")
    url = sqs.create_queue(QueueName=_name(), Attributes={"MaximumMessageSize": str(2**20)})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x" * 2**20)
    return True


def _knows_tenants(session: Any) -> bool:
    sqs = session.client("sqs")
    url = sqs.create_queue(QueueName=_name())["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="fair", MessageGroupId="tenant")
    received = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["MessageGroupId"])["Messages"]
    return bool(received[0]["Attributes"]["MessageGroupId"] == "tenant")


def _has_partiql_batches(session: Any) -> bool:
    dynamodb = session.client("dynamodb")
    table = _table(dynamodb)
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "1"}, "n": {"N": "1"}})
    update = f"UPDATE \"{table}\" SET n=2 WHERE pk='1' AND n=1"
    answers = [dynamodb.batch_execute_statement(Statements=[{"Statement": update}])["Responses"] for _ in range(2)]
    return "Error" not in answers[0][0] and answers[1][0].get("Error", {}).get("Code") == "ConditionalCheckFailed"


def _tells_the_old_item(session: Any) -> bool:
    dynamodb = session.client("dynamodb")
    table = _table(dynamodb)
    item = {"pk": {"S": "1"}, "state": {"S": "running"}}
    dynamodb.put_item(TableName=table, Item=item)
    try:
        dynamodb.put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        return error.response.get("Item") == item
    return False


def _keeps_schedules(session: Any) -> bool:
    scheduler, name = session.client("scheduler"), _name()
    target = {"Arn": "arn:aws:sqs:eu-west-1:000000000000:q", "RoleArn": "arn:aws:iam::000000000000:role/r"}
    scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 minute)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )
    return bool(scheduler.get_schedule(Name=name)["ScheduleExpression"] == "rate(1 minute)")


def _keeps_secrets(session: Any) -> bool:
    ssm, name = session.client("ssm"), f"/{_name()}"
    ssm.put_parameter(Name=name, Value="user:password", Type="SecureString")
    return bool(ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "user:password")


def _runs_functions(session: Any) -> bool:
    functions = session.client("lambda")
    name = _function(session)
    answer = functions.invoke(FunctionName=name, Payload=json.dumps({"numbers": [1, 2, 3]}))
    return bool(json.loads(answer["Payload"].read()) == {"sum": 6})


def _hands_messages_to_functions(session: Any) -> bool:
    if not _runs_functions(session):
        return False
    sqs, functions = session.client("sqs"), session.client("lambda")
    url = sqs.create_queue(QueueName=_name())["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=_function(session), BatchSize=1)
    sqs.send_message(QueueUrl=url, MessageBody="to be consumed")
    left = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def is_gone() -> bool:
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=left)["Attributes"]
        return {counts[one] for one in left} == {"0"}

    wait_for(is_gone, within=SOON, what="the message to be consumed")
    return True


def _deploys_sam(session: Any) -> bool:
    cloudformation, name = session.client("cloudformation"), _name()
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Worker": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "FunctionName": name,
                    "InlineCode": FUNCTION,
                    "Handler": "index.handler",
                    "Runtime": host_parameters()["Runtime"],
                },
            }
        },
    }
    cloudformation.create_stack(
        StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    )

    def status() -> str:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    wait_for(lambda: not status().endswith("_IN_PROGRESS"), within=SOON, what="the stack")
    return status() == "CREATE_COMPLETE" and bool(session.client("lambda").get_function(FunctionName=name))


QUESTIONS: dict[str, Callable[[Any], bool]] = {
    "SQS moves a dead-letter queue back (StartMessageMoveTask)": _moves_natively,
    "SQS gives up after maxReceiveCount": _gives_up,
    "SQS takes a message of 1 MiB": _takes_a_mebibyte,
    "SQS keeps a fair queue's MessageGroupId": _knows_tenants,
    "DynamoDB answers a refused write with the old item": _tells_the_old_item,
    "DynamoDB runs PartiQL batches with conditions": _has_partiql_batches,
    "EventBridge Scheduler keeps a schedule": _keeps_schedules,
    "SSM keeps a SecureString": _keeps_secrets,
    "Lambda runs a function, with no Docker": _runs_functions,
    "Lambda is handed a queue's messages, with no Docker": _hands_messages_to_functions,
    "CloudFormation deploys a SAM template's function": _deploys_sam,
}


def _name() -> str:
    return f"probe-{uuid4().hex[:12]}"


def _queue_with_letters(sqs: Any, *, receives: int) -> tuple[str, str, str]:
    """Make a queue and its dead-letter queue; return both addresses and the latter's ARN."""
    letters = sqs.create_queue(QueueName=_name())["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
    source = sqs.create_queue(QueueName=_name(), Attributes={"RedrivePolicy": policy})["QueueUrl"]
    return str(source), str(letters), str(arn)


def _table(dynamodb: Any) -> str:
    name = _name()
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return name


def _function(session: Any) -> str:
    name = _name()
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", FUNCTION)
    session.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    session.client("lambda").create_function(
        FunctionName=name,
        Role=f"arn:aws:iam::000000000000:role/{name}",
        Runtime=host_parameters()["Runtime"],
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
    )
    return name
