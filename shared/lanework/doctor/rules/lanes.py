"""Rules about a lane's queues and what hands their messages over."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, rule
from lanework.model.lanes import LANES, Lane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case
    from lanework.doctor.graph import Graph
    from lanework.doctor.resources import Feed, Function, Queue, Statement

MARGIN: Final = timedelta(seconds=5)
"""What a message is hidden for beyond the function's timeout and the batching window."""

SMALL_BATCH: Final = 10
"""A larger one needs a batching window (Lambda, "Using Lambda with Amazon SQS")."""


@rule(why="without one of them the lane's jobs are refused, or wait for ever")
def lanes(case: Case) -> Iterator[Complaint]:
    """Each lane of LANEWORK_LANES has a queue, a dead-letter queue, a mapping and a worker function."""
    graph = case.graph
    for lane in graph.lanes:
        for what, found in (
            (f"queue {graph.stack}-{lane}", graph.queue_of(lane)),
            (f"queue {graph.stack}-{lane}-dlq", graph.dead_letters_of(lane)),
            ("event source mapping", graph.feed_of(lane)),
            ("worker function", graph.worker_of(lane)),
        ):
            if found is None:
                yield Complaint(
                    about=lane.capitalize(),
                    what=f"lane {lane} has no {what}",
                    todo=f"copy another lane's in template.yaml, and name it after {lane}",
                )


@rule(why="every function fails when it starts, and no job runs")
def lanes_of_types(case: Case) -> Iterator[Complaint]:
    """Each job type is in a lane of LANEWORK_LANES."""
    for name, lane in ({} if case.code is None else case.code.lanes).items():
        if lane not in case.graph.lanes:
            yield Complaint(
                about=name,
                what=f"job type {name!r} is in lane '{lane}', which this stack leaves out",
                todo="add it to [tool.lanework] lanes and type lanework upgrade; or move the type",
            )


@rule(why="SQS delivers a long job a second time while it runs")
def visibility(case: Case) -> Iterator[Complaint]:
    """A message is hidden for the function's timeout, the batching window and 5 s at least."""
    for _, queue, feed, worker in _whole_lanes(case.graph):
        least = worker.timeout + feed.window + MARGIN
        if queue.visibility < least:
            yield Complaint.of(
                queue,
                f"a message is hidden for {_s(queue.visibility)}, its function may take {_s(worker.timeout)}",
                f"VisibilityTimeout: {_s(least, '')}",
            )


@rule(why="a message that can't be received is deleted when its retention ends, and its job is lost")
def redrive(case: Case) -> Iterator[Complaint]:
    """Each lane's queue redrives to the lane's own dead-letter queue."""
    for queue, dead in case.graph.pairs():
        if queue.dead_letters != dead.arn:
            yield Complaint.of(
                queue,
                f"its dead-letter queue is {_name(queue.dead_letters)}, not {dead.name}",
                f"RedrivePolicy: deadLetterTargetArn: !GetAtt {dead.id}.Arn, maxReceiveCount: 1000",
            )


@rule(why="throttles and waits count as receives, so SQS would give up jobs that have attempts left")
def receives(case: Case) -> Iterator[Complaint]:
    """Every job type's attempts are below maxReceiveCount."""
    attempts = {f"lane {lane}'s default": terms.attempts for lane, terms in LANES.items()}
    attempts |= {} if case.code is None else case.code.attempts
    name, most = max(attempts.items(), key=lambda one: one[1])
    for lane in Lane:
        queue = case.graph.queue_of(lane)
        if queue is not None and queue.max_receives is not None and queue.max_receives <= most:
            yield Complaint.of(
                queue,
                f"SQS gives up after {queue.max_receives} receives, {name} may take {most} attempts",
                "maxReceiveCount: 1000",
            )


@rule(why="a dead letter's age counts from its first enqueue, so it may be deleted before anybody looks")
def dead_letter_retention(case: Case) -> Iterator[Complaint]:
    """A dead-letter queue keeps messages longer than its source."""
    for queue, dead in case.graph.pairs():
        if dead.retention <= queue.retention:
            yield Complaint.of(
                dead,
                f"dead letters are kept for {_days(dead)}, {queue.name} keeps messages for {_days(queue)}",
                "MessageRetentionPeriod: 1209600",
            )


@rule(why="one failed job makes SQS deliver its whole batch again, and messages that must be kept are deleted")
def partial_batches(case: Case) -> Iterator[Complaint]:
    """The mapping takes ReportBatchItemFailures."""
    for _, _, feed, _ in _whole_lanes(case.graph):
        if not feed.reports_failures:
            yield Complaint.of(
                feed,
                "its function can't say which messages of a batch failed",
                "FunctionResponseTypes: [ReportBatchItemFailures]",
            )


@rule(why="Lambda refuses the mapping")
def batching_window(case: Case) -> Iterator[Complaint]:
    """A batch of more than 10 has a batching window of a second at least."""
    for feed in case.graph.feeds:
        if feed.batch_size > SMALL_BATCH and feed.window < timedelta(seconds=1):
            yield Complaint.of(
                feed,
                f"batches of {feed.batch_size} with no batching window",
                f"MaximumBatchingWindowInSeconds: 1, or BatchSize: {SMALL_BATCH}",
            )


@rule(why="a job is killed before its timeout, or a batch doesn't fit into an invocation")
def lane_numbers(case: Case) -> Iterator[Complaint]:
    """Timeout, batch size and lane of a worker are those that the code expects."""
    for lane, _, feed, worker in _whole_lanes(case.graph):
        terms = LANES[lane]
        if worker.timeout != terms.timeout:
            yield Complaint.of(
                worker,
                f"its timeout is {_s(worker.timeout)}, the code counts on {_s(terms.timeout)}",
                f"Timeout: {_s(terms.timeout, '')}",
            )
        most = max(terms.batch_size, case.code.batches.get(lane, 0) if case.code is not None else 0)
        if not terms.batch_size <= feed.batch_size <= most:
            yield Complaint.of(
                feed,
                f"batches of {feed.batch_size}, the code counts on {terms.batch_size}"
                + (f" to {most}" if most > terms.batch_size else ""),
                f"BatchSize: {terms.batch_size}",
            )
        if worker.variables.get("LANEWORK_LANE") != lane:
            yield Complaint.of(
                worker,
                f"its LANEWORK_LANE is {worker.variables.get('LANEWORK_LANE')}, its queue is {lane}'s",
                f"Environment: {{Variables: {{LANEWORK_LANE: {lane}}}}}",
            )


@rule(why="a change that was made to some lanes only fails in the others when they are needed")
def lanes_alike(case: Case) -> Iterator[Complaint]:
    """Lanes differ in their names and numbers only."""
    graph = case.graph
    whole = [(lane, worker) for lane, *_, worker in _whole_lanes(graph) if graph.dead_letters_of(lane) is not None]
    shapes = {lane: _shape(graph, lane, worker) for lane, worker in whole}
    for aspect in ("variables", "permissions"):
        values = {lane: shape[aspect] for lane, shape in shapes.items()}
        usual = Counter(values.values()).most_common(1)[0][0] if values else ""
        for lane, value in values.items():
            if value != usual:
                yield Complaint(
                    about=lane.capitalize(),
                    what=f"the {aspect} of lane {lane}'s worker are unlike the other lanes'",
                    todo=f"make lane {lane} in template.yaml what the others are; only its numbers may differ",
                )


def _shape(graph: Graph, lane: Lane, worker: Function) -> dict[str, str]:
    """Return what a lane has in common with the others, and no other rule looks at."""
    statements = [statement for role in graph.roles if role.id == worker.role for statement in role.statements]
    return {
        "variables": str(sorted(worker.variables)),
        "permissions": str(sorted((one.allows, sorted(one.actions), _named(one, lane)) for one in statements)),
    }


def _named(statement: Statement, lane: Lane) -> list[str]:
    """Return what a statement is about, with the lane called "own" and each other one "other"."""
    named = re.compile(rf"(?<![A-Za-z])({'|'.join(Lane)})(?![A-Za-z])")
    return sorted(
        named.sub(lambda found: "own" if found[1] == lane else "other", resource) for resource in statement.resources
    )


def _whole_lanes(graph: Graph) -> Iterator[tuple[Lane, Queue, Feed, Function]]:
    """Yield the lanes of which everything is there."""
    for lane in Lane:
        queue, feed, worker = graph.queue_of(lane), graph.feed_of(lane), graph.worker_of(lane)
        if queue is not None and feed is not None and worker is not None:
            yield lane, queue, feed, worker


def _s(duration: timedelta, unit: str = " s") -> str:
    return f"{duration.total_seconds():g}{unit}"


def _days(queue: Queue) -> str:
    return f"{queue.retention / timedelta(days=1):g} days"


def _name(arn: str | None) -> str:
    return "none" if arn is None else arn.rpartition(":")[2]


RULES: Final = (
    lanes,
    lanes_of_types,
    visibility,
    redrive,
    receives,
    dead_letter_retention,
    partial_batches,
    batching_window,
    lane_numbers,
    lanes_alike,
)
