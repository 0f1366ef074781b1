"""Rules about what must not be open, and what must not be kept for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, Rule
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case


def _wildcards(case: Case) -> Iterator[Complaint]:
    for role in case.graph.roles:
        for statement in role.statements:
            if not statement.allows:
                continue
            wide = [one for one in statement.actions if "*" in one]
            wide += [one for one in statement.resources if "*" in one and not _is_own(one, case.graph.stack)]
            for one in wide:
                yield Complaint(
                    about=role.id,
                    what=f"it allows {one if one != '*' else 'everything (*)'}",
                    todo=f"{role.id}: name actions and resources; a resource may end in /* below the stack's own",
                )


def _is_own(resource: str, stack: str) -> bool:
    """Tell whether a pattern reaches only what lies below something of the stack's."""
    stem = resource[:-1]
    return resource.endswith(("/*", ":*")) and "*" not in stem and stack in stem


def _loops(case: Case) -> Iterator[Complaint]:
    names = {feed.function for feed in case.graph.feeds} | {one.name for one in (case.graph.clock,) if one is not None}
    for function in case.graph.functions:
        if function.name in names and function.loops != "Allow":
            yield Complaint(
                about=function.id,
                what=f"RecursiveLoop is {function.loops or 'not set, so Terminate'}",
                todo=f"{function.id}: RecursiveLoop: Allow",
            )


def _logs(case: Case) -> Iterator[Complaint]:
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
            yield Complaint(
                about=group.id,
                what=f"{group.name} keeps its lines for ever",
                todo=f"{group.id}: RetentionInDays: !Ref LogRetentionDays",
            )


def _encryption(case: Case) -> Iterator[Complaint]:
    for queue in case.graph.queues:
        if not queue.is_encrypted:
            yield Complaint(
                about=queue.id, what="it is not encrypted at rest", todo=f"{queue.id}: SqsManagedSseEnabled: true"
            )
    for table in case.graph.tables:
        if not table.is_encrypted:
            yield Complaint(
                about=table.id,
                what="it is not encrypted with a key of this account",
                todo=f"{table.id}: SSESpecification: {{SSEEnabled: true}}",
            )


def _tls(case: Case) -> Iterator[Complaint]:
    for queue in case.graph.queues:
        if not queue.is_tls_only:
            yield Complaint(
                about=queue.id,
                what="its policy lets in what comes without TLS",
                todo=f"an AWS::SQS::QueuePolicy for {queue.id} that denies sqs:* where aws:SecureTransport is false",
            )


def _dead_letters(case: Case) -> Iterator[Complaint]:
    for lane in Lane:
        queue, dead = case.graph.queue_of(lane), case.graph.dead_letters_of(lane)
        if queue is None or dead is None or dead.takes_from == (queue.arn,):
            continue
        yield Complaint(
            about=dead.id,
            what="any queue of the account may send it its dead letters"
            if dead.takes_from is None
            else f"it takes dead letters from {', '.join(dead.takes_from) or 'no queue'}",
            todo=f"{dead.id}: RedriveAllowPolicy: {{redrivePermission: byQueue, sourceQueueArns: [{queue.arn}]}}",
        )


def _tables(case: Case) -> Iterator[Complaint]:
    for table in case.graph.tables:
        if table.name == f"{case.graph.stack}-jobs" and table.expires_by != "expires_at":
            yield Complaint(
                about=table.id,
                what=f"its time to live is {table.expires_by or 'off'}",
                todo=f"{table.id}: TimeToLiveSpecification: {{AttributeName: expires_at, Enabled: true}}",
            )
        if not table.is_recoverable:
            yield Complaint(
                about=table.id,
                what="it can't be restored to a point in time",
                todo=f"{table.id}: PointInTimeRecoverySpecification: {{PointInTimeRecoveryEnabled: true}}",
            )


RULES: Final = (
    Rule(
        name="wildcards",
        demands="No role allows * as an action or a resource.",
        why="code that is broken into reaches what is not this stack's",
        look=_wildcards,
    ),
    Rule(
        name="loops",
        demands="RecursiveLoop is Allow on the functions that run and send jobs.",
        why="Lambda stops a chain of jobs that enqueue jobs after 16 hops, and deletes the message",
        look=_loops,
    ),
    Rule(
        name="log-retention",
        demands="Each function has a log group of the stack's, which forgets.",
        why="Lambda makes one that keeps lines for ever, is paid for each month, and stays when the stack is gone",
        look=_logs,
    ),
    Rule(
        name="encryption",
        demands="Queues and tables are encrypted at rest.",
        why="payloads hold personal data, and audits ask for it",
        look=_encryption,
    ),
    Rule(
        name="tls",
        demands="Queues refuse what comes without TLS.",
        why="a payload could be read, or changed, on its way",
        look=_tls,
    ),
    Rule(
        name="redrive-allow",
        demands="A dead-letter queue takes from its own lane only.",
        why="another queue's messages are taken for this lane's dead jobs, or a lane's dead letters are lost",
        look=_dead_letters,
    ),
    Rule(
        name="tables",
        demands="The jobs table forgets by expires_at, and tables can be restored to a point in time.",
        why="records pile up and are paid for; what a mistake deletes is gone",
        look=_tables,
    ),
)
