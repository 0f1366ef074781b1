"""Reads the doctor's graph off a live stack, by describing each of its resources."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from lanework.aws.deployed.keys import Keys
from lanework.aws.deployed.network import subnets_of
from lanework.doctor.graph import Graph
from lanework.doctor.network import network_of
from lanework.doctor.policies import refuses_plain_text, sources_in, statements_of
from lanework.doctor.resources import (
    Alias,
    Dashboard,
    Feed,
    Function,
    LogGroup,
    Queue,
    Role,
    Table,
    Timer,
    Topic,
    callee,
    is_queue,
)
from lanework.doctor.template import USUAL_CONCURRENCY, alarm_of, same_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lanework.aws.deployed.stack import Look, Resource, Stack
    from lanework.doctor.network import Subnet
    from lanework.doctor.resources import Alarm, Statement

ThingT = TypeVar("ThingT")

_IN_VPCS = ("AWS::EC2::SecurityGroup", "AWS::EC2::Subnet")


def read_graph(stack: Stack, look: Look, *, region: str) -> Graph:
    """
    Return what a stack is made of now. What is refused or gone is missing in it.

    Raises:
        UnavailableError: AWS doesn't answer.
    """
    reader = _Reader(stack, look)
    functions = reader.each("AWS::Lambda::Function", reader.function)
    return Graph(
        stack=stack.name,
        region=region,
        account=stack.account,
        concurrency=reader.concurrency(),
        queues=reader.each("AWS::SQS::Queue", reader.queue),
        functions=functions,
        feeds=reader.each("AWS::Lambda::EventSourceMapping", reader.feed),
        tables=reader.each("AWS::DynamoDB::Table", reader.table),
        log_groups=reader.each("AWS::Logs::LogGroup", reader.log_group),
        timers=reader.each("AWS::Scheduler::Schedule", reader.timer),
        alarms=reader.each("AWS::CloudWatch::Alarm", reader.alarm),
        dashboards=reader.each("AWS::CloudWatch::Dashboard", reader.dashboard),
        roles=reader.each("AWS::IAM::Role", reader.role),
        aliases=reader.each("AWS::Lambda::Alias", reader.alias),
        topics=reader.each("AWS::SNS::Topic", reader.topic),
        subnets=reader.subnets(functions),
        keys=reader.keys.found,
    )


class _Reader:
    """Describes resources, one at a time."""

    def __init__(self, stack: Stack, look: Look) -> None:
        self._stack, self._look = stack, look
        self.keys = Keys(stack, look)
        self._in_vpcs = {one.physical_id: one.id for one in stack.resources if one.type in _IN_VPCS}
        self._layers = {one.physical_id for one in stack.resources if one.type == "AWS::Lambda::LayerVersion"}
        self._aliases = dict(callee(one.physical_id) for one in stack.resources if one.type == "AWS::Lambda::Alias")
        self._roles = {one.physical_id: one.id for one in stack.resources if one.type == "AWS::IAM::Role"}

    def each(self, kind: str, read: Callable[[Resource], ThingT | None]) -> tuple[ThingT, ...]:
        """Read all resources of a type that are there."""
        found = (read(one) for one in self._stack.resources if one.type == kind)
        return tuple(one for one in found if one is not None)

    def concurrency(self) -> int:
        limits = self._look.at("the account", "lambda", "get_account_settings")
        return USUAL_CONCURRENCY if limits is None else int(limits["AccountLimit"]["ConcurrentExecutions"])

    def queue(self, one: Resource) -> Queue | None:
        url = one.physical_id
        answer = self._look.at(one.id, "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
        if answer is None:
            return None
        has = answer["Attributes"]
        redrive = json.loads(has.get("RedrivePolicy", "{}"))
        return Queue(
            id=one.id,
            name=url.rpartition("/")[2],
            arn=has["QueueArn"],
            visibility=timedelta(seconds=int(has["VisibilityTimeout"])),
            retention=timedelta(seconds=int(has["MessageRetentionPeriod"])),
            dead_letters=redrive.get("deadLetterTargetArn"),
            max_receives=int(redrive["maxReceiveCount"]) if redrive else None,
            is_encrypted=has.get("SqsManagedSseEnabled") == "true" or "KmsMasterKeyId" in has,
            is_tls_only=refuses_plain_text(json.loads(has.get("Policy", "{}")), has["QueueArn"]),
            takes_from=sources_in(json.loads(has.get("RedriveAllowPolicy", "{}"))),
            key=self.keys.name_of(has.get("KmsMasterKeyId")),
        )

    def function(self, one: Resource) -> Function | None:
        name = one.physical_id
        version = {"Qualifier": self._aliases[name]} if name in self._aliases else {}  # it is what runs
        has = self._look.at(one.id, "lambda", "get_function_configuration", FunctionName=name, **version)
        reserved, loops = (
            self._look.at(one.id, "lambda", call, FunctionName=name)
            for call in ("get_function_concurrency", "get_function_recursion_config")
        )
        if has is None or reserved is None or loops is None:
            return None
        role, logs = has["Role"].rpartition("/")[2], has.get("LoggingConfig", {})
        return Function(
            id=one.id,
            name=name,
            arn=has["FunctionArn"].removesuffix(f":{self._aliases.get(name)}"),
            timeout=timedelta(seconds=has["Timeout"]),
            reserved=reserved.get("ReservedConcurrentExecutions"),
            loops=loops["RecursiveLoop"],
            log_group=logs.get("LogGroup", f"/aws/lambda/{name}"),
            role=self._roles.get(role, role),
            variables=has.get("Environment", {}).get("Variables", {}),
            network=network_of({key: self._renamed(ids) for key, ids in has.get("VpcConfig", {}).items()}),
            memory=has["MemorySize"],
            storage=has["EphemeralStorage"]["Size"],
            is_traced=has.get("TracingConfig", {}).get("Mode") == "Active",
            layers=tuple(layer["Arn"] for layer in has.get("Layers", ()) if layer["Arn"] not in self._layers),
            log_format=logs.get("LogFormat", "Text"),
            log_level=logs.get("ApplicationLogLevel"),
        )

    def alias(self, one: Resource) -> Alias | None:
        function, name = callee(one.physical_id)
        return None if name is None else Alias(id=one.id, function=function, name=name)

    def subnets(self, functions: Iterable[Function]) -> dict[str, Subnet]:
        named = {one for function in functions if function.network for one in function.network.subnets}
        physical = {logical_id: physical_id for physical_id, logical_id in self._in_vpcs.items()}
        found = subnets_of((physical.get(one, one) for one in named), self._look)
        return {self._in_vpcs.get(one, one): subnet for one, subnet in found.items()}

    def _renamed(self, ids: object) -> object:
        """Call the stack's own subnets and security groups as the template does; VpcConfig has more than lists."""
        return [self._in_vpcs.get(one, one) for one in ids] if isinstance(ids, list) else ids

    def feed(self, one: Resource) -> Feed | None:
        has = self._look.at(one.id, "lambda", "get_event_source_mapping", UUID=one.physical_id)
        if has is None or not is_queue(has["EventSourceArn"]):
            return None
        function, alias = callee(has["FunctionArn"])
        return Feed(
            id=one.id,
            queue=has["EventSourceArn"],
            function=function,
            alias=alias,
            is_on=has["State"] in ("Enabled", "Enabling", "Creating", "Updating"),
            batch_size=has["BatchSize"],
            window=timedelta(seconds=has.get("MaximumBatchingWindowInSeconds", 0)),
            max_concurrency=has.get("ScalingConfig", {}).get("MaximumConcurrency"),
            pollers=has.get("ProvisionedPollerConfig", {}).get("MaximumPollers"),
            reports_failures="ReportBatchItemFailures" in has.get("FunctionResponseTypes", []),
        )

    def table(self, one: Resource) -> Table | None:
        name = one.physical_id
        has, expiry, backups = (
            self._look.at(one.id, "dynamodb", call, TableName=name)
            for call in ("describe_table", "describe_time_to_live", "describe_continuous_backups")
        )
        if has is None or expiry is None or backups is None:
            return None
        expires = expiry["TimeToLiveDescription"]
        recovery = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return Table(
            id=one.id,
            name=name,
            arn=has["Table"]["TableArn"],
            is_encrypted=has["Table"].get("SSEDescription", {}).get("Status") in ("ENABLED", "ENABLING", "UPDATING"),
            expires_by=expires.get("AttributeName") if expires["TimeToLiveStatus"] in ("ENABLED", "ENABLING") else None,
            is_recoverable=recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
            key=self.keys.customers(has["Table"].get("SSEDescription", {}).get("KMSMasterKeyArn")),
        )

    def log_group(self, one: Resource) -> LogGroup | None:
        answer = self._look.at(one.id, "logs", "describe_log_groups", logGroupNamePrefix=one.physical_id)
        found = [] if answer is None else [has for has in answer["logGroups"] if has["logGroupName"] == one.physical_id]
        if not found:
            return None
        key = self.keys.name_of(found[0].get("kmsKeyId"))
        return LogGroup(id=one.id, name=one.physical_id, days=found[0].get("retentionInDays"), key=key)

    def topic(self, one: Resource) -> Topic | None:
        arn = one.physical_id
        answer = self._look.at(one.id, "sns", "get_topic_attributes", TopicArn=arn)
        if answer is None:
            return None
        key = self.keys.name_of(answer["Attributes"].get("KmsMasterKeyId"))
        return Topic(id=one.id, name=arn.rpartition(":")[2], arn=arn, key=key)

    def timer(self, one: Resource) -> Timer | None:
        name = one.physical_id.rpartition("/")[2]
        has = self._look.at(one.id, "scheduler", "get_schedule", GroupName=self._stack.name, Name=name)
        if has is None:
            return None
        return Timer(
            id=one.id,
            name=has["Name"],
            group=has["GroupName"],
            expression=has["ScheduleExpression"],
            timezone=has.get("ScheduleExpressionTimezone", "UTC"),
            is_on=has["State"] == "ENABLED",
            target=has["Target"]["Arn"],
            input=has["Target"].get("Input"),
        )

    def alarm(self, one: Resource) -> Alarm | None:
        answer = self._look.at(one.id, "cloudwatch", "describe_alarms", AlarmNames=[one.physical_id])
        found = [] if answer is None else answer["MetricAlarms"]
        return alarm_of(one.id, found[0]) if found else None

    def dashboard(self, one: Resource) -> Dashboard | None:
        has = self._look.at(one.id, "cloudwatch", "get_dashboard", DashboardName=one.physical_id)
        if has is None:
            return None
        return Dashboard(id=one.id, name=has["DashboardName"], body=same_json(has["DashboardBody"]))

    def role(self, one: Resource) -> Role | None:
        own = self._look.at(one.id, "iam", "list_role_policies", RoleName=one.physical_id)
        attached = self._look.at(one.id, "iam", "list_attached_role_policies", RoleName=one.physical_id)
        if own is None or attached is None:
            return None
        documents = [
            *(self._managed(one, policy["PolicyArn"]) for policy in attached["AttachedPolicies"]),
            *(self._inline(one, name) for name in own["PolicyNames"]),
        ]
        if None in documents:
            return None
        statements = chain.from_iterable(statements_of(document) for document in documents)
        return Role(id=one.id, statements=tuple(map(self._by_logical_id, statements)))

    def _managed(self, one: Resource, arn: str) -> Any:  # noqa: ANN401 - a policy's document
        policy = self._look.at(one.id, "iam", "get_policy", PolicyArn=arn)
        if policy is None:
            return None
        version = policy["Policy"]["DefaultVersionId"]
        answer = self._look.at(one.id, "iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        return None if answer is None else answer["PolicyVersion"]["Document"]

    def _inline(self, one: Resource, name: str) -> Any:  # noqa: ANN401 - as above
        answer = self._look.at(one.id, "iam", "get_role_policy", RoleName=one.physical_id, PolicyName=name)
        return None if answer is None else answer["PolicyDocument"]

    def _by_logical_id(self, statement: Statement) -> Statement:
        """Call the stack's own roles as the template does, which can't know the names that they were given."""

        def renamed() -> Iterator[str]:
            for resource in statement.resources:
                stem, _, name = resource.rpartition("/")
                yield f"{stem}/{self._roles[name]}" if ":role" in stem and name in self._roles else resource

        return type(statement)(allows=statement.allows, actions=statement.actions, resources=tuple(renamed()))
