"""
Whose rights the parts of an embedded stack have where IAM decides, as everywhere under `make test-iam`.

There each function has the rights of its role alone, and an application that a test enqueues with those of the stack's
ProducerPolicy. What sets a test up, and `lanework` on the command line, has the key `test`, which may do everything.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

    from lanework.local.stack.embedded import RunningStack

UNDER_IAM: Final = os.environ.get("LANEWORK_TESTS_ON") == "iam"
"""Whether the stacks of tests/e2e check rights."""

NOT_UNDER_IAM: Final = {
    "test_stack_in_a_vpc.py::test_a_private_api_answers_as_a_public_one_does": (
        "MiniStack has no VPC endpoint that a call could come through, and a private API's policy refuses all others"
    ),
}
"""Tests of tests/e2e that can't be run there, and why."""


def to_run_under_iam(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the tests to run and those not to."""
    left_out = [one for one in items if one.nodeid.removeprefix("tests/e2e/") in NOT_UNDER_IAM]
    return [one for one in items if one not in left_out], left_out


def statement(one: dict[str, Any]) -> str:
    """Return a policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [one]})


def a_producers_environment(stack: RunningStack, policy: str, *, name: str = "producer") -> dict[str, str]:
    """
    Return the credentials of a role, made if need be, whose only rights are those of a policy that the stack outputs.

    Args:
        policy: `ProducerPolicyArn` or `EnqueuePolicyArn`.
    """
    iam: Any = stack.clients.make("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    if name not in {one["RoleName"] for one in iam.list_roles()["Roles"]}:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=statement(trust))
        iam.attach_role_policy(RoleName=name, PolicyArn=stack.outputs[policy])
    role = iam.get_role(RoleName=name)["Role"]["Arn"]
    given = stack.clients.make("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def let_in(sqs: Any, url: str, service: str) -> str:
    """Let a service of AWS send to a queue of the test's own, as AWS asks for; return the queue's ARN."""
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": statement(allow)})
    return arn
