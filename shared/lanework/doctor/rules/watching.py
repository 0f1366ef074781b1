"""Rules about who is notified when something goes wrong, and what is written of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, rule
from lanework.doctor.policies import TRACES, is_allowed
from lanework.model.lanes import LANES, QUEUE_RETENTION, Lane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case
    from lanework.doctor.graph import Graph
    from lanework.doctor.resources import Alarm, Function, Queue

DEPTH: Final = "AWS/SQS ApproximateNumberOfMessagesVisible"
AGE: Final = "AWS/SQS ApproximateAgeOfOldestMessage"
ERRORS: Final = "AWS/Lambda Errors"
THROTTLES: Final = "AWS/Lambda Throttles"
LATE: Final = "AWS/Lambda IteratorAge"
INVOCATIONS: Final = "AWS/Lambda Invocations"

LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""Lambda's, by how severe they are."""

LAMBDAS_WORD: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""For Python's."""


@rule(why="jobs die or wait, and customers are the first to notice")
def alarms(case: Case) -> Iterator[Complaint]:
    """Alarms notify of each lane's dead letters, oldest message, errors and throttles, a failing clock, late events."""
    graph = case.graph
    for lane in Lane:
        dead, queue, worker = graph.dead_letters_of(lane), graph.queue_of(lane), graph.worker_of(lane)
        for metric, of in ((DEPTH, dead), (AGE, queue), (ERRORS, worker), (THROTTLES, worker)):
            if of is not None:
                yield from _watched(graph, metric, of)
    if graph.events is not None:
        yield from _watched(graph, LATE, graph.events)
    if graph.clock is not None:
        for metric in (ERRORS, INVOCATIONS):
            yield from _watched(graph, metric, graph.clock)


def _watched(graph: Graph, metric: str, of: Queue | Function) -> Iterator[Complaint]:
    found = [one for one in graph.alarms if (one.metric, one.of) == (metric, of.name)]
    if not found:
        yield Complaint(
            about=of.id,
            what=f"no alarm watches {metric} of {of.name}",
            todo=f"an AWS::CloudWatch::Alarm on {metric} of {of.name}, as the other lanes have it in template.yaml",
        )
    elif not any(one.tells for one in found):
        yield Complaint.of(
            found[0], "it notifies no topic", "AlarmActions: [!Ref AlarmTopic], and ActionsEnabled not false"
        )


@rule(why="otherwise the alarm comes after the SLA is missed")
def alarm_thresholds(case: Case) -> Iterator[Complaint]:
    """Dead letters alarm from the first on; age alarms at the lane's SLA and its function's timeout at the latest."""
    for lane in Lane:
        dead, queue, worker = case.graph.dead_letters_of(lane), case.graph.queue_of(lane), case.graph.worker_of(lane)
        start_within, feed = LANES[lane].start_within, case.graph.feed_of(lane)
        for alarm in case.graph.alarms:
            if dead is not None and (alarm.metric, alarm.of) == (DEPTH, dead.name):
                yield from _not_above(alarm, 0, "the first job that died")
            if queue is None or worker is None or (alarm.metric, alarm.of) != (AGE, queue.name):
                continue
            if feed is not None and not feed.is_on:  # worker processes empty it, whose jobs may take hours
                continue
            if start_within is None:
                yield from _not_above(alarm, QUEUE_RETENTION / 2, "a wait of half the queue's retention")
            else:
                yield from _not_above(alarm, start_within + worker.timeout, "the lane's SLA and its function's timeout")


def _not_above(alarm: Alarm, most: timedelta | int, what: str) -> Iterator[Complaint]:
    limit = most.total_seconds() if isinstance(most, timedelta) else most
    if alarm.above is None or alarm.above > limit:
        says = "not when something grows" if alarm.above is None else f"above {alarm.above:g}"
        yield Complaint.of(
            alarm,
            f"it goes off {says}; {what} is at {limit:g}",
            f"ComparisonOperator: GreaterThanThreshold, Threshold: {limit:g}",
        )


@rule(why="in an incident all queues should be on one page")
def dashboard(case: Case) -> Iterator[Complaint]:
    """A CloudWatch dashboard shows every lane."""
    graph = case.graph
    queues = [one.name for one in map(graph.queue_of, Lane) if one is not None]
    missing = [name for name in queues if not any(f'"{name}"' in one.body for one in graph.dashboards)]
    if missing:
        yield Complaint(
            about="Dashboard",
            what=f"no dashboard shows {', '.join(missing)}",
            todo="an AWS::CloudWatch::Dashboard with the lanes' queues and functions, as template.yaml has it",
        )


@rule(why="CloudFormation refuses the function, or Lambda drops lines that the code writes")
def log_levels(case: Case) -> Iterator[Complaint]:
    """A function's log level goes with LogFormat JSON, and is no higher than its logger's."""
    for function in case.graph.functions:
        own = function.variables.get("POWERTOOLS_LOG_LEVEL", "INFO")
        level = function.log_level or ("INFO" if function.log_format == "JSON" else None)
        if function.log_level is not None and function.log_format != "JSON":
            yield Complaint.of(
                function,
                f"its LoggingConfig has ApplicationLogLevel {function.log_level}, and LogFormat {function.log_format}",
                "LogFormat: JSON, or no ApplicationLogLevel",
            )
        elif level is not None and _rank(level) > _rank(own):
            yield Complaint.of(
                function,
                f"its logger writes lines from {own} on, Lambda keeps those from {level} on",
                f"LoggingConfig: {{ApplicationLogLevel: {LAMBDAS_WORD.get(own, own)}}}",
            )


def _rank(level: str) -> int:
    """Return how severe a level is; what nobody knows drops nothing."""
    word = LAMBDAS_WORD.get(level, level)
    return LEVELS.index(word) if word in LEVELS else 0


@rule(why="its traces are refused, or each invocation fails before the code is reached")
def tracing(case: Case) -> Iterator[Complaint]:
    """The role of a function that is traced may send traces, and a wrapper comes with its layer."""
    roles = {one.id: one for one in case.graph.roles}
    for function in case.graph.functions:
        wrapper = function.variables.get("AWS_LAMBDA_EXEC_WRAPPER")
        role = roles.get(function.role)
        missing = [one for one in TRACES if role is not None and not is_allowed(role.statements, one, "*")]
        if missing and role is not None and (function.is_traced or wrapper):
            yield Complaint.of(
                role,
                f"{function.name} is traced, and may not {', '.join(missing)}",
                f"a statement {{Effect: Allow, Action: [{', '.join(missing)}], Resource: '*'}}, as TracingPolicy in "
                "template.yaml has it",
            )
        if wrapper and not function.layers:
            yield Complaint.of(
                function,
                f"its AWS_LAMBDA_EXEC_WRAPPER is {wrapper}, and no layer of another's brings that along",
                "Layers: the one that has it, by AdotLayer; or no AWS_LAMBDA_EXEC_WRAPPER",
            )


RULES: Final = (alarms, alarm_thresholds, dashboard, log_levels, tracing)
