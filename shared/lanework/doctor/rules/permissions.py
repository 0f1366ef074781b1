"""The rule about what each function must be allowed, which follows from what it does and from its variables."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, rule
from lanework.doctor.policies import is_allowed
from lanework.model.lanes import Lane
from lanework.model.references import reference_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lanework.doctor.case import Case
    from lanework.doctor.graph import Graph
    from lanework.doctor.resources import Function

LEDGER: Final = (
    *("BatchGetItem", "BatchWriteItem", "GetItem", "PartiQLInsert", "PartiQLUpdate", "PutItem", "Query", "UpdateItem"),
)
"""What the ledger's code does with its table; a test compares it with the code."""

_CONSUMES: Final = ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")

Need = tuple[str, str]
"""An action, and the ARN that it must be allowed on."""


@rule(why="the call is refused, and messages of the lane come back until SQS moves them to the dead-letter queue")
def permissions(case: Case) -> Iterator[Complaint]:
    """Each function may do all that its code does."""
    roles = {one.id: one for one in case.graph.roles}
    keys = {one.arn: one.key for one in case.graph.queues if one.key is not None}
    keys |= {one.arn: one.key for one in case.graph.tables if one.key is not None}
    keys |= {one.arn: one.key for one in case.graph.topics if one.key is not None}
    for function, needs in _needs(case.graph):
        role = roles.get(function.role)
        if role is None:  # it isn't the stack's: nobody here knows what it allows
            continue
        wanted = [*needs, *_of_keys(needs, keys)]
        missing = [(action, on) for action, on in wanted if not is_allowed(role.statements, action, on)]
        for on in dict.fromkeys(on for _, on in missing):
            actions = ", ".join(action for action, resource in missing if resource == on)
            yield Complaint.of(
                role,
                f"{function.name} may not {actions} on {on.split(':', 2)[-1]}",
                f"a statement {{Effect: Allow, Action: [{actions}], Resource: {on}}}",
            )


def _of_keys(needs: Iterable[Need], keys: Mapping[str, str]) -> Iterator[Need]:
    """Yield what the services do with keys in the name of whoever needs the rest; AWS's own keys let everybody."""
    found: dict[Need, None] = {}
    for action, on in needs:
        key = keys.get(on.partition("/index/")[0])
        if key is None or key.startswith("alias/aws/") or action == "sqs:GetQueueAttributes":
            continue
        found["kms:Decrypt", key] = None
        if action in ("sqs:SendMessage", "sns:Publish"):
            found["kms:GenerateDataKey", key] = None
    yield from found


def _needs(graph: Graph) -> Iterator[tuple[Function, list[Need]]]:
    for lane in Lane:
        worker, queue, dead = graph.worker_of(lane), graph.queue_of(lane), graph.dead_letters_of(lane)
        if worker is not None and queue is not None and dead is not None:
            own = [(f"sqs:{action}", queue.arn) for action in _CONSUMES]
            yield worker, [*own, ("sqs:SendMessage", dead.arn), *_of_everyone(graph, worker), *_of_jobs(graph, worker)]
    api = graph.function(f"{graph.stack}-api")
    if api is not None:
        counted = [one.arn for lane in Lane for one in (graph.queue_of(lane), graph.dead_letters_of(lane)) if one]
        counts = [("sqs:GetQueueAttributes", arn) for arn in counted]
        tokens = _parameters(graph, api, "LANEWORK_API_TOKENS_PARAMETER")
        yield api, [*counts, *_of_everyone(graph, api), *_of_ends(graph, api), *tokens]
    events = graph.events
    if events is not None:  # without reading the stream its mapping isn't made
        bus = events.variables.get("LANEWORK_EVENT_BUS", "default")
        where = _arn(graph, events, "events", f"event-bus/{bus}")
        put = [(f"events:{action}", where) for action in ("DescribeEventBus", "PutEvents")]
        yield events, [*put, *_of_its_log(graph, events)]
    clock = graph.clock
    if clock is not None:
        letters = [one.arn for one in map(graph.dead_letters_of, Lane) if one is not None]
        own = [(f"sqs:{action}", arn) for arn in letters for action in (*_CONSUMES, "SendMessage")]
        topic = clock.variables.get("LANEWORK_ALERT_TOPIC")
        alerts = [("sns:Publish", topic)] if topic else []
        webhook = _parameters(graph, clock, "LANEWORK_ALERT_WEBHOOK_PARAMETER")
        yield clock, [*own, *_of_everyone(graph, clock), *_of_ends(graph, clock), *alerts, *webhook]


def _of_everyone(graph: Graph, function: Function) -> Iterator[Need]:
    """Yield what each function needs that runs or sends jobs."""
    table = next((one for one in graph.tables if one.name == f"{graph.stack}-jobs"), None)
    if table is not None:
        yield from ((f"dynamodb:{action}", table.arn) for action in LEDGER)
        yield from (("dynamodb:Query", f"{table.arn}/index/{index}") for index in ("recent", "sweep"))
    yield from (("sqs:SendMessage", queue.arn) for queue in map(graph.queue_of, Lane) if queue is not None)
    yield from _of_its_log(graph, function)


def _of_its_log(graph: Graph, function: Function) -> Iterator[Need]:
    if any(one.name == function.log_group for one in graph.log_groups):
        log = _arn(graph, function, "logs", f"log-group:{function.log_group}:*")
        yield from ((f"logs:{action}", log) for action in ("CreateLogStream", "PutLogEvents"))


def _of_jobs(graph: Graph, function: Function) -> Iterator[Need]:
    """Yield what Lanework's own jobs need."""
    yield from _of_ends(graph, function)
    bucket = function.variables.get("LANEWORK_ARCHIVE_BUCKET")
    if bucket:
        yield "s3:PutObject", f"{function.arn.partition(':lambda:')[0]}:s3:::{bucket}/{graph.stack}/jobs/any"
    yield from _parameters(graph, function, "LANEWORK_WEBHOOK_SECRET_PARAMETER")
    yield from _references(graph, function)


def _references(graph: Graph, function: Function) -> Iterator[Need]:
    """Yield the needs to read what variables refer to."""
    needs = []
    for name in filter(None, function.variables.get("LANEWORK_REFERENCES", "").split(",")):
        with suppress(ValueError):  # the function says so itself
            one = reference_of(function.variables.get(name, ""))
            needs.append((one.action, _arn(graph, function, one.store, one.resource.replace("??????", "AbCdEf"))))
    yield from dict.fromkeys(needs)


def _of_ends(graph: Graph, function: Function) -> Iterator[Need]:
    """Yield what whoever ends jobs needs to tell of it."""
    return _parameters(graph, function, "LANEWORK_WEBHOOK_PARAMETER")


def _parameters(graph: Graph, function: Function, variable: str) -> Iterator[Need]:
    """Yield the need to read the SSM parameter that a variable names, if it does."""
    name = function.variables.get(variable)
    if name:
        yield "ssm:GetParameter", _arn(graph, function, "ssm", f"parameter{name}")


def _arn(graph: Graph, function: Function, service: str, rest: str) -> str:
    """Return the ARN of something in the stack's account and region, in the partition that the function is in."""
    return f"{function.arn.partition(':lambda:')[0]}:{service}:{graph.region}:{graph.account}:{rest}"


RULES: Final = (permissions,)
