"""
Makes good what MiniStack's CloudFormation drops.

Of a table its time to live, its point-in-time recovery and its encryption; of a topic its key; of a bucket its
encryption and when its objects expire; of a function its reserved concurrency, its VPC, its key, its dead-letter queue
and what becomes of its loops; of a role its permissions boundary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.doctor.intrinsics import Resolver
from lanework.doctor.network import Network, network_of
from lanework.local.deployment.template import FUNCTION, functions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import SSESpecificationTypeDef
    from mypy_boto3_lambda.literals import RecursiveLoopType

    from lanework.local.clients import Clients


def make_good(template: dict[str, Any], stack: str, clients: Clients, *, known: Mapping[str, str]) -> None:
    """
    Set on the deployed tables and functions what the template says and the emulator's deployment left out.

    Args:
        known: What its parameters and the pseudo parameters are, by name.
    """
    pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [one for page in pages for one in page["StackResourceSummaries"]]
    names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    given = {name: physical.rpartition("/")[2] for name, physical in names.items()}  # a queue is called by its URL
    resolver = Resolver(template, parameters=known, pseudo=known, given=given)

    def said(logical_id: str) -> object:
        """Return what the template says of a resource; the SAM transform makes some of which it says nothing."""
        return template["Resources"].get(logical_id, {}).get("Properties", {})

    for one in found:
        if one["ResourceType"] == "AWS::DynamoDB::Table":
            table = one["PhysicalResourceId"]
            properties = resolver.value(said(one["LogicalResourceId"]))
            _set_time_to_live(table, properties.get("TimeToLiveSpecification"), clients)
            _set_recovery(table, properties.get("PointInTimeRecoverySpecification"), clients)
            _set_encryption(table, properties.get("SSESpecification"), clients)
        elif one["ResourceType"] == "AWS::SNS::Topic":
            properties = resolver.value(said(one["LogicalResourceId"]))
            _set_topic_key(one["PhysicalResourceId"], properties.get("KmsMasterKeyId", ""), clients)
        elif one["ResourceType"] == "AWS::S3::Bucket":
            _set_bucket(one["PhysicalResourceId"], resolver.value(said(one["LogicalResourceId"])), clients)
        elif one["ResourceType"] == "AWS::IAM::Role":
            properties = resolver.value(said(one["LogicalResourceId"]))
            _set_boundary(one["PhysicalResourceId"], properties.get("PermissionsBoundary"), clients)
    logical_ids = [name for name, one in template["Resources"].items() if one.get("Type") == FUNCTION]
    for logical_id, properties in zip(logical_ids, functions(template), strict=True):
        if logical_id not in names:  # its condition doesn't hold
            continue
        wanted = resolver.value(properties)
        _set_loop(names[logical_id], wanted.get("RecursiveLoop"), clients)
        _set_reserved(names[logical_id], wanted.get("ReservedConcurrentExecutions"), clients)
        _set_network(names[logical_id], network_of(wanted.get("VpcConfig", {})), clients)
        _set_key_and_dlq(names[logical_id], wanted, clients)


def _set_time_to_live(table: str, wanted: dict[str, Any] | None, clients: Clients) -> None:
    if wanted is None:
        return
    has = clients.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if (has == "ENABLED") != wanted["Enabled"]:  # DynamoDB refuses to set what is set already
        clients.dynamodb.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"AttributeName": wanted["AttributeName"], "Enabled": wanted["Enabled"]},
        )


def _set_recovery(table: str, wanted: dict[str, Any] | None, clients: Clients) -> None:
    if wanted is not None:
        clients.dynamodb.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": wanted["PointInTimeRecoveryEnabled"]},
        )


def _set_loop(function: str, wanted: RecursiveLoopType | None, clients: Clients) -> None:
    if wanted is not None:
        clients.functions.put_function_recursion_config(FunctionName=function, RecursiveLoop=wanted)


def _set_encryption(table: str, wanted: dict[str, Any] | None, clients: Clients) -> None:
    if wanted is None:
        return
    says: SSESpecificationTypeDef = {"Enabled": wanted["SSEEnabled"]}
    if "KMSMasterKeyId" in wanted:
        says |= {"SSEType": "KMS", "KMSMasterKeyId": wanted["KMSMasterKeyId"]}
    clients.dynamodb.update_table(TableName=table, SSESpecification=says)


def _set_topic_key(topic: str, wanted: str, clients: Clients) -> None:
    sns = clients.make("sns")
    if sns.get_topic_attributes(TopicArn=topic)["Attributes"].get("KmsMasterKeyId", "") != wanted:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=wanted)


def _set_reserved(function: str, wanted: str | int | None, clients: Clients) -> None:
    if wanted is None:
        clients.functions.delete_function_concurrency(FunctionName=function)
    else:
        clients.functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=int(wanted))


def _set_network(function: str, wanted: Network | None, clients: Clients) -> None:
    has = network_of(clients.functions.get_function_configuration(FunctionName=function).get("VpcConfig", {}))
    if has != wanted:
        place = wanted or Network(subnets=(), security_groups=())
        clients.functions.update_function_configuration(
            FunctionName=function,
            VpcConfig={"SubnetIds": place.subnets, "SecurityGroupIds": place.security_groups},
        )


def _set_key_and_dlq(function: str, wanted: dict[str, Any], clients: Clients) -> None:
    has = clients.functions.get_function_configuration(FunctionName=function)
    dlq, key = wanted.get("DeadLetterQueue", {}).get("TargetArn", ""), wanted.get("KmsKeyArn", "")
    if (has.get("DeadLetterConfig", {}).get("TargetArn", ""), has.get("KMSKeyArn", "")) != (dlq, key):
        clients.functions.update_function_configuration(
            FunctionName=function, DeadLetterConfig={"TargetArn": dlq}, KMSKeyArn=key
        )


def _set_bucket(bucket: str, wanted: dict[str, Any], clients: Clients) -> None:
    encryption = wanted.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration")
    if encryption is not None:
        rules: Any = [
            {"ApplyServerSideEncryptionByDefault": one["ServerSideEncryptionByDefault"]} for one in encryption
        ]
        clients.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    lifecycle = wanted.get("LifecycleConfiguration", {}).get("Rules", [])
    expiring = [_expiry(number, one) for number, one in enumerate(lifecycle) if "ExpirationInDays" in one]
    if expiring:
        clients.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": expiring})


def _expiry(number: int, rule: dict[str, Any]) -> Any:  # noqa: ANN401 - boto's own
    """Return a rule of CloudFormation's as S3 has it, as far as it is about when objects expire."""
    return {
        "ID": rule.get("Id", f"rule-{number}"),
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        "Expiration": {"Days": int(rule["ExpirationInDays"])},
    }


def _set_boundary(role: str, wanted: str | None, clients: Clients) -> None:
    iam = clients.make("iam")
    has = iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    if has != wanted and wanted is None:
        iam.delete_role_permissions_boundary(RoleName=role)
    elif has != wanted:
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=wanted)
