"""Probes of Lambda and CloudFormation: one for each line that begins with `lambda_` or `cloudformation_`."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lanework.local.probe.lab import TAG, check, refused

if TYPE_CHECKING:
    from lanework.local.probe.lab import Lab

INVALID: Final = "InvalidParameterValueException"
OUT_OF_RANGE: Final = "ValidationException"
TIMEOUT_S: Final = 5
PAYLOAD: Final = 6 * 1024 * 1024
ASYNC_PAYLOAD: Final = 1024 * 1024
RUNTIME: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"

CODE: Final = """
import json, os, time


def handler(event, context):
    if "Records" not in event:
        return {"sum": sum(event.get("numbers", []))}
    failed = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        if order["do"] == "raise":
            raise ValueError("as ordered")
        if order["do"] == "fail":
            failed.append({"itemIdentifier": order.get("as", record["messageId"])})
        if order["do"] == "wait":
            wait(order)
    return {"batchItemFailures": failed}


def wait(order):
    import boto3

    begun = time.time()
    time.sleep(1)
    sqs = boto3.client("sqs", endpoint_url=os.environ.get("PROBE_ENDPOINT") or None)
    sqs.send_message(QueueUrl=order["to"], MessageBody=json.dumps([begun, time.time()]))
"""


def make_role(lab: Lab) -> str:
    """Make the role that functions and schedules have, once, and return its ARN."""
    return str(lab.shared("role", lambda: _make_role(lab)))


def _make_role(lab: Lab) -> str:
    iam, name = lab.client("iam"), lab.name()
    services = ["lambda.amazonaws.com", "scheduler.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility", "SendMessage")
    rights = {
        "Effect": "Allow",
        "Action": [f"sqs:{one}" for one in actions],
        "Resource": f"arn:*:sqs:*:*:{lab.prefix}-*",
    }
    lab.delete_later(f"IAM role {name}", lambda: iam.delete_role(RoleName=name))
    lab.delete_later(f"policy of {name}", lambda: iam.delete_role_policy(RoleName=name, PolicyName="probe"))
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=_policy(trust), Tags=[{"Key": TAG, "Value": lab.prefix}]
    )["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="probe", PolicyDocument=_policy(rights))
    return str(role["Arn"])


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _make_function(lab: Lab, **options: Any) -> str:  # noqa: ANN401 - as boto has them
    functions, name = lab.client("lambda"), lab.name()
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", CODE)
    request: dict[str, Any] = {
        "FunctionName": name,
        "Role": make_role(lab),
        "Runtime": RUNTIME,
        "Handler": "index.handler",
        "Code": {"ZipFile": code.getvalue()},
        "Timeout": TIMEOUT_S,
        "Environment": {"Variables": {"PROBE_ENDPOINT": lab.endpoint or ""}},
        "Tags": {TAG: lab.prefix},
        **options,
    }
    lab.delete_later(f"Lambda function {name}", lambda: functions.delete_function(FunctionName=name))

    def is_made() -> bool:
        try:
            functions.create_function(**request)
        except ClientError as error:  # a new role can't be assumed for some seconds
            if "assumed" not in error.response["Error"].get("Message", ""):
                raise
            return False
        return True

    lab.wait_for(is_made, what="the function's role was never accepted")
    return name


def shared_function(lab: Lab) -> str:
    """Make the function that several probes use, once, and return its name."""

    def make() -> str:
        name = _make_function(lab)

        def is_active() -> bool:
            found = lab.client("lambda").get_function_configuration(FunctionName=name)
            return bool(found.get("State", "Active") == "Active")

        lab.wait_for(is_active, what="the function didn't become active")
        return name

    return str(lab.shared("function", make))


def lambda_runs(lab: Lab) -> str:
    name = shared_function(lab)
    answer = lab.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"numbers": [1, 2, 3]}))
    check(answer["Payload"].read() == b'{"sum": 6}', "the function didn't run")
    return "the function's answer came"


def lambda_payload(lab: Lab) -> str:
    return _invoke_refused(lab, PAYLOAD + 1)


def lambda_async_payload(lab: Lab) -> str:
    return _invoke_refused(lab, ASYNC_PAYLOAD + 1, InvocationType="Event")


def _invoke_refused(lab: Lab, size: int, **options: str) -> str:
    payload = json.dumps("x" * (size - 2))
    invoke, name = lab.client("lambda").invoke, shared_function(lab)
    codes = ("RequestEntityTooLargeException", "RequestTooLargeException")
    return refused(lambda: invoke(FunctionName=name, Payload=payload, **options), *codes)


def _environment_refused(lab: Lab, *codes: str, **variables: str) -> str:
    return refused(lambda: _make_function(lab, Environment={"Variables": variables}), *codes)


def lambda_reserved_variable(lab: Lab) -> str:
    return _environment_refused(lab, INVALID, AWS_REGION="eu-west-1")


def lambda_environment_size(lab: Lab) -> str:
    return _environment_refused(lab, INVALID, LARGE="x" * 4097)


def lambda_variable_name(lab: Lab) -> str:
    return _environment_refused(lab, INVALID, OUT_OF_RANGE, **{"1ST": "x"})


def lambda_timeout(lab: Lab) -> str:
    return refused(lambda: _make_function(lab, Timeout=901), INVALID, OUT_OF_RANGE)


def cloudformation_sam(lab: Lab) -> str:
    cloudformation, name = lab.client("cloudformation"), lab.name()
    properties = {"InlineCode": CODE, "Handler": "index.handler", "Runtime": RUNTIME, "FunctionName": name}
    resources = {"Function": {"Type": "AWS::Serverless::Function", "Properties": properties}}
    lab.delete_later(f"stack {name}", lambda: cloudformation.delete_stack(StackName=name))
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Tags=[{"Key": TAG, "Value": lab.prefix}],
    )

    def status() -> str:
        found = str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        return "" if found.endswith("_IN_PROGRESS") else found

    found = lab.wait_for(status, what="the stack was never there")
    check(found == "CREATE_COMPLETE", found)
    lab.client("lambda").get_function(FunctionName=name)
    return str(found)
