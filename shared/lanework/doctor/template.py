"""Reads a graph off a template, as the SAM transform made it."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from lanework.doctor.graph import Graph
from lanework.doctor.intrinsics import Resolver
from lanework.doctor.network import network_of
from lanework.doctor.policies import allowed_to_services, aws_own, refuses_plain_text, sources_in, statements_of
from lanework.doctor.resources import (
    Alarm,
    Alias,
    Dashboard,
    Feed,
    Function,
    Key,
    LogGroup,
    Queue,
    Role,
    Shift,
    Table,
    Timer,
    Topic,
    callee,
    is_queue,
)
from lanework.doctor.template_api import private_apis_in, routes_in
from lanework.doctor.template_network import subnets_in
from lanework.doctor.template_senders import senders_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USUAL_CONCURRENCY: Final = 1000
"""What an account allows in a region by default (Lambda quotas); a new one may have less."""

_LAMBDA_TIMEOUT: Final = 3
_LAMBDA_MEMORY: Final = 128
_LAMBDA_STORAGE: Final = 512
_SQS_VISIBILITY: Final = 30
_SQS_RETENTION: Final = 345_600
_OVER: Final = {"GreaterThanThreshold": 0.0, "GreaterThanOrEqualToThreshold": -1.0}

_POLICIES: Final = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")
"""Types of policies that name roles."""

Properties = dict[str, Any]


def graph_of(
    template: dict[str, Any],
    *,
    stack: str,
    region: str,
    account: str,
    parameters: Mapping[str, str],
    concurrency: int = USUAL_CONCURRENCY,
    given: Mapping[str, str] | None = None,
) -> Graph:
    """
    Return what a deployment of a template would be.

    Args:
        template: As the SAM transform made it.
        stack, region, account: Where to.
        parameters: Values of its parameters, where not their defaults.
        concurrency: Executions that the account allows at once.
        given: Names that CloudFormation gave, by logical id.
    """
    pseudo = {"AWS::StackName": stack, "AWS::Region": region, "AWS::AccountId": account}
    resolver = Resolver(template, parameters=parameters, pseudo=pseudo, given=given)
    reader = _Reader(resolver)
    return Graph(
        stack=stack,
        region=region,
        account=account,
        concurrency=concurrency,
        queues=tuple(reader.queues()),
        functions=tuple(reader.functions()),
        feeds=tuple(reader.feeds()),
        tables=tuple(reader.tables()),
        log_groups=tuple(reader.log_groups()),
        timers=tuple(reader.timers()),
        alarms=tuple(reader.alarms()),
        dashboards=tuple(reader.dashboards()),
        topics=tuple(reader.topics()),
        roles=tuple(reader.roles()),
        aliases=tuple(reader.aliases()),
        subnets=subnets_in(resolver),
        keys=reader.keys(),
        routes=routes_in(resolver),
        private_apis=private_apis_in(resolver),
        shifts=reader.shifts(),
        senders=senders_in(resolver),
    )


class _Reader:
    """Makes a graph's values of resolved resources."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._resources = resolver.resources()

    def queues(self) -> Iterator[Queue]:
        policies = [one for _, one in self._of("AWS::SQS::QueuePolicy")]
        for logical_id, one in self._of("AWS::SQS::Queue"):
            arn, name = self._resolver.arn(logical_id), self._resolver.name(logical_id)
            redrive = one.get("RedrivePolicy", {})
            yield Queue(
                id=logical_id,
                name=name,
                arn=arn,
                visibility=_seconds(one.get("VisibilityTimeout", _SQS_VISIBILITY)),
                retention=_seconds(one.get("MessageRetentionPeriod", _SQS_RETENTION)),
                dead_letters=redrive.get("deadLetterTargetArn"),
                max_receives=int(redrive["maxReceiveCount"]) if "maxReceiveCount" in redrive else None,
                is_encrypted=bool(one.get("SqsManagedSseEnabled") or one.get("KmsMasterKeyId")),
                is_tls_only=any(
                    refuses_plain_text(policy["PolicyDocument"], arn)
                    for policy in policies
                    if any(str(url).rpartition("/")[2] == name for url in policy["Queues"])
                ),
                takes_from=sources_in(one.get("RedriveAllowPolicy", {})),
                key=one.get("KmsMasterKeyId"),
            )

    def functions(self) -> Iterator[Function]:
        roles = {self._resolver.arn(logical_id): logical_id for logical_id, _ in self._of("AWS::IAM::Role")}
        own_layers = {logical_id for logical_id, _ in self._of("AWS::Lambda::LayerVersion")}
        for logical_id, one in self._of("AWS::Lambda::Function"):
            name = self._resolver.name(logical_id)
            reserved, logs = one.get("ReservedConcurrentExecutions"), one.get("LoggingConfig", {})
            yield Function(
                id=logical_id,
                name=name,
                arn=self._resolver.arn(logical_id),
                timeout=_seconds(one.get("Timeout", _LAMBDA_TIMEOUT)),
                reserved=None if reserved is None else int(reserved),
                loops=one.get("RecursiveLoop"),
                log_group=logs.get("LogGroup", f"/aws/lambda/{name}"),
                role=roles.get(str(one["Role"]), str(one["Role"])),
                variables={key: str(value) for key, value in one.get("Environment", {}).get("Variables", {}).items()},
                network=network_of(one.get("VpcConfig", {})),
                memory=int(one.get("MemorySize", _LAMBDA_MEMORY)),
                storage=int(one.get("EphemeralStorage", {}).get("Size", _LAMBDA_STORAGE)),
                is_traced=one.get("TracingConfig", {}).get("Mode") == "Active",
                layers=tuple(arn for arn in one.get("Layers", ()) if arn not in own_layers),
                log_format=logs.get("LogFormat", "Text"),
                log_level=logs.get("ApplicationLogLevel"),
            )

    def feeds(self) -> Iterator[Feed]:
        for logical_id, one in self._of("AWS::Lambda::EventSourceMapping"):
            if not is_queue(str(one["EventSourceArn"])):
                continue
            function, alias = callee(str(one["FunctionName"]))
            most = one.get("ScalingConfig", {}).get("MaximumConcurrency")
            pollers = one.get("ProvisionedPollerConfig", {}).get("MaximumPollers")
            yield Feed(
                id=logical_id,
                queue=one["EventSourceArn"],
                function=function,
                alias=alias,
                is_on=one.get("Enabled", True) in (True, "true"),
                batch_size=int(one.get("BatchSize", 10)),
                window=_seconds(one.get("MaximumBatchingWindowInSeconds", 0)),
                max_concurrency=None if most is None else int(most),
                pollers=None if pollers is None else int(pollers),
                reports_failures="ReportBatchItemFailures" in one.get("FunctionResponseTypes", []),
            )

    def aliases(self) -> Iterator[Alias]:
        for logical_id, one in self._of("AWS::Lambda::Alias"):
            yield Alias(id=logical_id, function=callee(str(one["FunctionName"]))[0], name=one["Name"])

    def shifts(self) -> dict[str, Shift]:
        """Return how CodeDeploy shifts aliases."""
        return {
            logical_id: Shift(
                id=logical_id,
                config=one.get("DeploymentConfigName", ""),
                alarms=tuple(alarm["Name"] for alarm in one.get("AlarmConfiguration", {}).get("Alarms", ())),
            )
            for logical_id, one in self._of("AWS::CodeDeploy::DeploymentGroup")
        }

    def tables(self) -> Iterator[Table]:
        for logical_id, one in self._of("AWS::DynamoDB::Table"):
            expiry, recovery = one.get("TimeToLiveSpecification", {}), one.get("PointInTimeRecoverySpecification", {})
            yield Table(
                id=logical_id,
                name=self._resolver.name(logical_id),
                arn=self._resolver.arn(logical_id),
                is_encrypted=one.get("SSESpecification", {}).get("SSEEnabled") is True,
                expires_by=expiry.get("AttributeName") if expiry.get("Enabled") is True else None,
                is_recoverable=recovery.get("PointInTimeRecoveryEnabled") is True,
                key=one.get("SSESpecification", {}).get("KMSMasterKeyId"),
            )

    def log_groups(self) -> Iterator[LogGroup]:
        for logical_id, one in self._of("AWS::Logs::LogGroup"):
            name, days = self._resolver.name(logical_id), one.get("RetentionInDays")
            yield LogGroup(id=logical_id, name=name, days=None if days is None else int(days), key=one.get("KmsKeyId"))

    def topics(self) -> Iterator[Topic]:
        for logical_id, one in self._of("AWS::SNS::Topic"):
            arn, name = self._resolver.arn(logical_id), self._resolver.name(logical_id)
            yield Topic(id=logical_id, name=name, arn=arn, key=one.get("KmsMasterKeyId"))

    def keys(self) -> dict[str, Key]:
        """Return the keys that the template makes; nothing is known here of another."""
        return {
            self._resolver.arn(logical_id): Key(
                is_on=one.get("Enabled", True) is True, services=allowed_to_services(one.get("KeyPolicy", {}))
            )
            for logical_id, one in self._of("AWS::KMS::Key")
        }

    def timers(self) -> Iterator[Timer]:
        for logical_id, one in self._of("AWS::Scheduler::Schedule"):
            yield Timer(
                id=logical_id,
                name=one.get("Name", logical_id),
                group=one.get("GroupName", "default"),
                expression=one["ScheduleExpression"],
                timezone=one.get("ScheduleExpressionTimezone", "UTC"),
                is_on=one.get("State", "ENABLED") == "ENABLED",
                target=one["Target"]["Arn"],
                input=one["Target"].get("Input"),
            )

    def alarms(self) -> Iterator[Alarm]:
        for logical_id, one in self._of("AWS::CloudWatch::Alarm"):
            yield alarm_of(logical_id, {"AlarmName": self._resolver.name(logical_id), **one})

    def dashboards(self) -> Iterator[Dashboard]:
        for logical_id, one in self._of("AWS::CloudWatch::Dashboard"):
            yield Dashboard(id=logical_id, name=self._resolver.name(logical_id), body=same_json(one["DashboardBody"]))

    def roles(self) -> Iterator[Role]:
        shared = {
            self._resolver.arn(logical_id): list(statements_of(one["PolicyDocument"]))
            for logical_id, one in self._of("AWS::IAM::ManagedPolicy")
        }
        beside = [one for kind in _POLICIES for _, one in self._of(kind)]
        for logical_id, one in self._of("AWS::IAM::Role"):
            name = self._resolver.name(logical_id)
            naming = [policy for policy in beside if name in (*policy.get("Roles", ()), policy.get("RoleName"))]
            own = [list(statements_of(policy["PolicyDocument"])) for policy in (*one.get("Policies", []), *naming)]
            attached = [shared.get(arn, aws_own(arn)) for arn in one.get("ManagedPolicyArns", [])]
            yield Role(id=logical_id, statements=tuple(chain.from_iterable((*attached, *own))))

    def _of(self, kind: str) -> list[tuple[str, Properties]]:
        return [(logical_id, one) for logical_id, (type_, one) in self._resources.items() if type_ == kind]


def alarm_of(logical_id: str, one: Mapping[str, Any]) -> Alarm:
    """Return an alarm of what a template and DescribeAlarms say alike."""
    over = _OVER.get(one.get("ComparisonOperator", ""))
    threshold = one.get("Threshold")
    return Alarm(
        id=logical_id,
        name=one["AlarmName"],
        metric=f"{one.get('Namespace')} {one.get('MetricName')}",
        of=next((str(pair["Value"]) for pair in one.get("Dimensions", [])), ""),
        above=None if over is None or threshold is None else float(threshold) + over,
        tells=tuple(one.get("AlarmActions", [])) if one.get("ActionsEnabled", True) is True else (),
    )


def same_json(text: str) -> str:
    """Return JSON text in one form, whoever wrote it."""
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text


def _seconds(value: object) -> timedelta:
    return timedelta(seconds=float(str(value)))
