"""Rules about what must not be open, and what must not be kept for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, rule
from lanework.doctor.network import INTERFACES
from lanework.doctor.policies import TRACES, names_action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case

NO_NARROWER: Final = frozenset({*INTERFACES, *TRACES, "cloudwatch:DescribeAlarms"})
"""Actions of which EC2 and X-Ray know no narrower resource than `*`, or CodeDeploy asks for all."""

ALARMS: Final = "cloudwatch.amazonaws.com"
LOGS: Final = "logs.{region}.amazonaws.com"

BY_SERVICES: Final = {
    "cloudwatch": ("kms:Decrypt", "kms:GenerateDataKey"),
    "logs": (
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ),
}
"""What a key's policy must allow them (SNS, "Encrypted topics"; CloudWatch Logs, "Encrypt log data")."""


@rule(why="compromised code could reach resources outside this stack")
def wildcards(case: Case) -> Iterator[Complaint]:
    """No role allows * as an action or a resource."""
    for role in case.graph.roles:
        for statement in role.statements:
            if not statement.allows or set(statement.actions) <= NO_NARROWER:
                continue
            wide = [one for one in statement.actions if "*" in one]
            wide += [one for one in statement.resources if "*" in one and not _is_own(one, case.graph.stack)]
            for one in wide:
                yield Complaint.of(
                    role,
                    f"it allows {one if one != '*' else 'everything (*)'}",
                    "name actions and resources; a resource may end in /* below the stack's own",
                )


def _is_own(resource: str, stack: str) -> bool:
    """Tell whether a pattern reaches only what lies below something of the stack's."""
    stem = resource[:-1]
    return resource.endswith(("/*", ":*")) and "*" not in stem and stack in stem


@rule(why="Lambda stops a chain of jobs that enqueue jobs after 16 hops, and deletes the message")
def loops(case: Case) -> Iterator[Complaint]:
    """RecursiveLoop is Allow on the functions that run and send jobs."""
    names = {feed.function for feed in case.graph.feeds} | {one.name for one in (case.graph.clock,) if one is not None}
    for function in case.graph.functions:
        if function.name in names and function.loops != "Allow":
            yield Complaint.of(
                function, f"RecursiveLoop is {function.loops or 'not set, so Terminate'}", "RecursiveLoop: Allow"
            )


@rule(why="Lambda makes one that keeps lines for ever, costs money each month, and stays when the stack is deleted")
def log_retention(case: Case) -> Iterator[Complaint]:
    """Each function has a log group of the stack's, with a retention."""
    groups = {one.name: one for one in case.graph.log_groups}
    for function in case.graph.functions:
        group = groups.get(function.log_group)
        if group is None:
            yield Complaint(
                about=function.id,
                what=f"its log group {function.log_group} isn't the stack's",
                todo=f"an AWS::Logs::LogGroup {function.log_group} with RetentionInDays, for {function.id}",
            )
        elif group.days is None:
            yield Complaint.of(
                group, f"{group.name} keeps its lines for ever", "RetentionInDays: !Ref LogRetentionDays"
            )


@rule(why="payloads hold personal data, and audits require it")
def encryption(case: Case) -> Iterator[Complaint]:
    """Queues and tables are encrypted at rest."""
    for queue in case.graph.queues:
        if not queue.is_encrypted:
            yield Complaint.of(queue, "it is not encrypted at rest", "SqsManagedSseEnabled: true")
    for table in case.graph.tables:
        if not table.is_encrypted:
            yield Complaint.of(
                table, "it is not encrypted with a key of this account", "SSESpecification: {SSEEnabled: true}"
            )


@rule(why="a payload could be read, or changed, on its way")
def tls(case: Case) -> Iterator[Complaint]:
    """Queues refuse requests without TLS."""
    for queue in case.graph.queues:
        if not queue.is_tls_only:
            yield Complaint(
                about=queue.id,
                what="its policy lets in what comes without TLS",
                todo=f"an AWS::SQS::QueuePolicy for {queue.id} that denies sqs:* where aws:SecureTransport is false",
            )


@rule(why="SQS refuses what the service sends, and the event is lost: emulators let everything in")
def senders(case: Case) -> Iterator[Complaint]:
    """A queue that a rule, topic or bucket sends to has a policy that lets its service in."""
    for sender in case.graph.senders.values():
        if not sender.is_let_in:
            yield Complaint(
                about=sender.id,
                what=f"the policy of {sender.queue} doesn't let {sender.service} send for {sender.source}",
                todo=f"an AWS::SQS::QueuePolicy for {sender.queue}: {{Effect: Allow, Principal: {{Service: "
                f"{sender.service}}}, Action: sqs:SendMessage, Condition: {{ArnEquals: {{aws:SourceArn: "
                f"{sender.source}}}}}}}",
            )


@rule(why="messages of another queue would count as this lane's dead jobs, or a lane's dead letters are lost")
def redrive_allow(case: Case) -> Iterator[Complaint]:
    """A dead-letter queue takes from its own lane only."""
    for queue, dead in case.graph.pairs():
        if dead.takes_from == (queue.arn,):
            continue
        yield Complaint.of(
            dead,
            "any queue of the account may send it its dead letters"
            if dead.takes_from is None
            else f"it takes dead letters from {', '.join(dead.takes_from) or 'no queue'}",
            f"RedriveAllowPolicy: {{redrivePermission: byQueue, sourceQueueArns: [{queue.arn}]}}",
        )


@rule(why="records pile up and cost money; what is deleted by mistake is lost")
def tables(case: Case) -> Iterator[Complaint]:
    """The jobs table has a TTL on expires_at, and tables have point-in-time recovery."""
    for table in case.graph.tables:
        if table.name == f"{case.graph.stack}-jobs" and table.expires_by != "expires_at":
            yield Complaint.of(
                table,
                f"its time to live is {table.expires_by or 'off'}",
                "TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}",
            )
        if not table.is_recoverable:
            yield Complaint.of(
                table,
                "it can't be restored to a point in time",
                "PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}",
            )


@rule(why="CloudWatch refuses the log group, or its alarms reach nobody; under a key that is off nothing can be read")
def keys(case: Case) -> Iterator[Complaint]:
    """A customer's key is enabled, and lets in CloudWatch's alarms and logs where they need it."""
    graph = case.graph
    users = [(one.id, one.key, ALARMS) for one in graph.topics if any(one.arn in alarm.tells for alarm in graph.alarms)]
    users += [(one.id, one.key, LOGS.format(region=graph.region)) for one in graph.log_groups]
    for about, name, service in users:
        if name == "alias/aws/sns":
            what = f"it is encrypted with SNS's own key {name}, which {service} may not use"
            yield Complaint(about=about, what=what, todo=f"{about}: a key of yours as KmsMasterKeyId, or none")
        key = None if name is None else graph.keys.get(name)
        if key is None:
            continue
        allowed = (*key.services.get(service, ()), *key.services.get("*", ()))
        missing = [one for one in BY_SERVICES[service.partition(".")[0]] if not names_action(allowed, one)]
        if missing:
            yield Complaint(
                about=about,
                what=f"the policy of its key {name} doesn't let {service} {', '.join(missing)}",
                todo=f"in the key's policy: {{Effect: Allow, Principal: {{Service: {service}}}, "
                f"Action: [{', '.join(missing)}], Resource: '*'}} (docs/deploy.md)",
            )
    for name, key in graph.keys.items():
        if not key.is_on:
            yield Complaint(
                about=name,
                what="the key is disabled, or about to be deleted",
                todo=f"aws kms enable-key --key-id {name}",
            )


RULES: Final = (wildcards, loops, log_retention, encryption, keys, tls, senders, redrive_allow, tables)
