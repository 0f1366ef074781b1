"""What a page, a job, the statistics and the minute's tick cost, by how many jobs the table holds: counted."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.measure import make
from bench.systems.lanework_ import jobs as application
from lanework.aws.ledger.item import items_of, to_item
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle.run_moves import new_record
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.endpoint import Endpoint
    from lanework.model.lifecycle.states import JobRecord

_TIMES = 5
_CALL = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """
    What one thing costs.

    Attributes:
        calls: AWS calls of each service.
        ms: Median time.
    """

    calls: dict[str, int]
    ms: float


def costs_at(endpoint: Endpoint, size: int) -> dict[str, Cost]:
    """Load a table with so many ended jobs of the last three days, then look at it."""
    name = f"bench-scale-{size}"
    make(name, endpoint)
    app = application.connect(name, endpoint.url)
    _load(app, name, size)
    ports = app.ports
    some = f"job-{size // 2}"
    looks: dict[str, Callable[[], object]] = {
        "list, a page of 50": lambda: app.inspector.page(limit=50),
        "get": lambda: app.inspector.get(some),
        "depths of all lanes": app.inspector.counts,
        "dead letters, a page of 50": lambda: ports.ledger.dead(before=None, limit=50),
        "the minute's sweep": lambda: Sweeper(ports).tick(has_time=lambda: True),
        "the minute's reconciliation": lambda: Reconciler(ports).tick(has_time=lambda: True),
    }
    return {what: _cost(endpoint, look) for what, look in looks.items()}


def _cost(endpoint: Endpoint, look: Callable[[], object]) -> Cost:
    look()  # the first asks what is asked once
    taken: list[float] = []
    before = endpoint.counts()
    for _ in range(_TIMES):
        began = time.perf_counter()
        look()
        taken.append((time.perf_counter() - began) * 1000)
    made: Counter[str] = Counter()
    for operation, count in (endpoint.counts() - before).items():
        made[operation.partition(":")[0]] += count
    return Cost(calls={service: -(-count // _TIMES) for service, count in made.items()}, ms=median(taken))


def _load(app: Any, name: str, size: int) -> None:
    model = items_of(f"{name}-jobs", region="eu-west-1")
    client = app.ports.ledger._clients.dynamodb  # noqa: SLF001 - past the ledger, which would take a call for each
    table = f"{name}-jobs"

    def write(chunk: list[JobRecord]) -> None:
        client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": to_item(one, model)}} for one in chunk]})

    with ThreadPoolExecutor(4) as threads:
        for _ in threads.map(write, _chunks(app, size)):
            pass


def _chunks(app: Any, size: int) -> Iterator[list[JobRecord]]:
    now = app.ports.clock()
    apart = timedelta(days=3) / size
    for start in range(0, size, _CALL):
        yield [_job(number, now - apart * number) for number in range(start, min(start + _CALL, size))]


def _job(number: int, at: Any) -> JobRecord:
    envelope = Envelope(
        id=f"job-{number}",
        type="bench.task",
        queue="bench",
        lane=Lane.MEDIUM,
        payload='{"work": "noop", "at": 0, "padding": ""}',
        attempts=3,
        backoff=timedelta(seconds=2),
        created_at=at,
    )
    record = new_record(envelope)
    return replace(
        record, state=State.COMPLETED, attempts=1, due_at=None, ended_at=at, expires_at=at + timedelta(days=8)
    )
