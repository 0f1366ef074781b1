"""What a page, a job, the statistics and the minute's tick cost, by how many jobs the table holds: counted."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
        read: Entries and items that DynamoDB read for it.
        cpu_ms: Median CPU of this process, boto's included.
        bare_ms: Median time of the same requests to DynamoDB by boto alone; 0.0 if there are none, or some write.
    """

    calls: dict[str, int]
    ms: float
    read: int
    cpu_ms: float
    bare_ms: float


class Requests:
    """
    What a client asks DynamoDB for.

    Attributes:
        made: Operations and their parameters.
        read: How many entries and items were read.
    """

    def __init__(self, client: Any) -> None:
        """Hear nothing yet."""
        self.made: list[tuple[str, dict[str, Any]]] = []
        self.read = 0
        self._client = client

    @classmethod
    @contextmanager
    def of(cls, client: Any) -> Iterator[Requests]:
        """Hear what a client sends, and its answers, for as long as a block lasts."""
        heard = cls(client)
        hooks = {"provide-client-params.dynamodb.*": heard._sends, "after-call.dynamodb.*": heard._gets}
        for event, hook in hooks.items():
            client.meta.events.register(event, hook)
        try:
            yield heard
        finally:
            for event, hook in hooks.items():
                client.meta.events.unregister(event, hook)

    def _sends(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.made.append((model.name, params))

    def _gets(self, parsed: dict[str, Any], **_: Any) -> None:
        found = sum(map(len, parsed.get("Responses", {}).values())) if "UnprocessedKeys" in parsed else 0
        self.read += parsed.get("ScannedCount", 0) + found + ("Item" in parsed)

    def again(self) -> float:
        """Send them again, by boto alone; return the milliseconds, or 0.0 if there are none or some write."""
        calls = {
            "Query": self._client.query,
            "GetItem": self._client.get_item,
            "BatchGetItem": self._client.batch_get_item,
        }
        made = list(self.made)
        if not made or not {name for name, _ in made} <= calls.keys():
            return 0.0
        taken = []
        for _ in range(_TIMES):
            began = time.perf_counter()
            for name, params in made:
                calls[name](**params)
            taken.append((time.perf_counter() - began) * 1000)
        return median(taken)


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
    client = ports.ledger._clients.dynamodb  # type: ignore[attr-defined]  # noqa: SLF001 - to hear what it asks
    return {what: _cost(endpoint, look, client) for what, look in looks.items()}


def _cost(endpoint: Endpoint, look: Callable[[], object], client: Any) -> Cost:
    look()  # the first asks what is asked once
    taken: list[float] = []
    used: list[float] = []
    before = endpoint.counts()
    for _ in range(_TIMES):
        began, cpu = time.perf_counter(), time.process_time()
        look()
        taken.append((time.perf_counter() - began) * 1000)
        used.append((time.process_time() - cpu) * 1000)
    made: Counter[str] = Counter()
    for operation, count in (endpoint.counts() - before).items():
        made[operation.partition(":")[0]] += count
    calls = {service: -(-count // _TIMES) for service, count in made.items()}
    with Requests.of(client) as requests:
        look()
    return Cost(calls=calls, ms=median(taken), read=requests.read, cpu_ms=median(used), bare_ms=requests.again())


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
