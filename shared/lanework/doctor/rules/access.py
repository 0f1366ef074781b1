"""Rules about who may do what, and about what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, Rule
from lanework.doctor.policies import is_allowed
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case
    from lanework.doctor.graph import Function, Graph

LEDGER: Final = (
    *("BatchGetItem", "BatchWriteItem", "GetItem", "PartiQLInsert", "PartiQLUpdate", "PutItem", "Query", "UpdateItem"),
)
"""What the ledger's code does with its table; a test compares it with the code."""

_CONSUMES: Final = ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")

Need = tuple[str, str]
"""An action, and the ARN that it must be allowed on."""


def _permissions(case: Case) -> Iterator[Complaint]:
    roles = {one.id: one for one in case.graph.roles}
    for function, needs in _needs(case.graph):
        role = roles.get(function.role)
        if role is None:  # it isn't the stack's: nobody here knows what it allows
            continue
        missing = [(action, on) for action, on in needs if not is_allowed(role.statements, action, on)]
        for on in dict.fromkeys(on for _, on in missing):
            actions = ", ".join(action for action, resource in missing if resource == on)
            yield Complaint(
                about=role.id,
                what=f"{function.name} may not {actions} on {on.partition(':')[2].partition(':')[2]}",
                todo=f"{role.id}: a statement {{Effect: Allow, Action: [{actions}], Resource: {on}}}",
            )


def _needs(graph: Graph) -> Iterator[tuple[Function, list[Need]]]:
    for lane in Lane:
        worker, queue, dead = graph.worker_of(lane), graph.queue_of(lane), graph.dead_letters_of(lane)
        if worker is not None and queue is not None and dead is not None:
            own = [(f"sqs:{action}", queue.arn) for action in _CONSUMES]
            yield worker, [*own, ("sqs:SendMessage", dead.arn), *_of_everyone(graph, worker)]
    api = graph.function(f"{graph.stack}-api")
    if api is not None:
        counted = [one.arn for lane in Lane for one in (graph.queue_of(lane), graph.dead_letters_of(lane)) if one]
        yield api, [*(("sqs:GetQueueAttributes", arn) for arn in counted), *_of_everyone(graph, api)]
    clock = graph.clock
    if clock is not None:
        letters = [one.arn for one in map(graph.dead_letters_of, Lane) if one is not None]
        own = [(f"sqs:{action}", arn) for arn in letters for action in (*_CONSUMES, "SendMessage")]
        yield clock, [*own, *_of_everyone(graph, clock)]


def _of_everyone(graph: Graph, function: Function) -> Iterator[Need]:
    """Yield what each function needs that runs or sends jobs."""
    table = next((one for one in graph.tables if one.name == f"{graph.stack}-jobs"), None)
    if table is not None:
        yield from ((f"dynamodb:{action}", table.arn) for action in LEDGER)
        yield from (("dynamodb:Query", f"{table.arn}/index/{index}") for index in ("recent", "sweep"))
    yield from (("sqs:SendMessage", queue.arn) for queue in map(graph.queue_of, Lane) if queue is not None)
    if any(one.name == function.log_group for one in graph.log_groups):
        partition, _, _ = function.arn.partition(":lambda:")
        log = f"{partition}:logs:{graph.region}:{graph.account}:log-group:{function.log_group}:*"
        yield from ((f"logs:{action}", log) for action in ("CreateLogStream", "PutLogEvents"))


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
        name="permissions",
        demands="Each function may do all that its code does.",
        why="the call is refused, and jobs of the lane go back and forth until SQS gives up on them",
        look=_permissions,
    ),
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
        name="tables",
        demands="The jobs table forgets by expires_at, and tables can be restored to a point in time.",
        why="records pile up and are paid for; what a mistake deletes is gone",
        look=_tables,
    ),
)
