"""What a page costs: calls of SQS and DynamoDB, with 100,000 jobs in the table as with none."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from lanework.aws.flags import DynamoFlags
from lanework.aws.lanes import SqsLanes
from lanework.aws.ledger.item import dead_shard_of, items_of, pk_of, recent_shard_of, to_item
from lanework.aws.ledger.ledger import DynamoLedger
from lanework.aws.schedules import DynamoSchedules
from lanework.aws.statistics import DynamoStatistics
from lanework.aws.workflows.workflows import DynamoWorkflows
from lanework.engine.ports.index_keys import JobKey
from lanework.model.job.ids import shard_of
from lanework.model.lifecycle.states import State
from lanework.testing import NOON, Clock, memory_ports
from tests.support.factories import a_record
from tests.support.gateway import a_client
from tests.support.http_shop import an_application

if TYPE_CHECKING:
    from tests.support.gateway import Client

STACK, REGION, TABLE = "budgets", "eu-west-1", "budgets-jobs"
JOBS = 100_000
MOST_OF_EACH = 5
LARGEST_PAGE = 60 * 1024


@dataclass(repr=False)
class Services:
    """
    SQS and DynamoDB as far as pages read them, each its own client: counts the calls.

    Attributes:
        items: The table, by partition and sort key.
        indexes: Sort key and item of each partition of an index, in order.
        calls: How often each service was called.
    """

    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    indexes: dict[str, list[tuple[Any, dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def dynamodb(self) -> Services:
        return self

    @property
    def sqs(self) -> Services:
        return self

    @property
    def meta(self) -> Any:
        return SimpleNamespace(endpoint_url="https://sqs.example.com")

    @property
    def account(self) -> str:
        return "123456789012"

    def get_queue_attributes(self, **_: Any) -> Any:
        self.calls["sqs"] += 1
        return {"Attributes": {"ApproximateNumberOfMessages": "7"}}

    def get_item(self, **request: Any) -> Any:
        self.calls["dynamodb"] += 1
        found = self.items.get((request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]))
        return {} if found is None else {"Item": found}

    def batch_get_item(self, **request: Any) -> Any:
        self.calls["dynamodb"] += 1
        ((table, wanted),) = request["RequestItems"].items()
        keys = [(key["pk"]["S"], key["sk"]["S"]) for key in wanted["Keys"]]
        assert len(keys) <= 100
        return {"Responses": {table: [self.items[key] for key in keys if key in self.items]}}

    def query(self, **request: Any) -> Any:
        """Answer from an index, newest first; of the table's own partitions, nothing is there."""
        self.calls["dynamodb"] += 1
        if "IndexName" not in request:
            return {"Items": []}
        values = {name: next(iter(value.values())) for name, value in request["ExpressionAttributeValues"].items()}
        held = self.indexes[values[":shard"]]
        end = bisect_left(held, self._end(request, values), key=lambda entry: entry[0])
        begin = max(end - request["Limit"], 0)
        found = [item for _, item in reversed(held[begin:end])]
        return {"Items": found, **({"LastEvaluatedKey": found[-1]} if begin else {})}

    def _end(self, request: dict[str, Any], values: dict[str, Any]) -> Any:
        last = request.get("ExclusiveStartKey")
        if request["IndexName"] == "recent":
            return last["recent_key"]["S"] if last else values.get(":before", "~")
        return int(last["sweep_at"]["N"]) if last else int(values.get(":high", 10**15))


@pytest.fixture(scope="module", name="services")
def full_services() -> Services:
    """Hold 100,000 jobs of today, every tenth of them dead."""
    services = Services()
    model = items_of(TABLE, region=REGION)
    alive = to_item(a_record(state=State.COMPLETED, ended_at=NOON), model)
    dead = to_item(a_record(state=State.DEAD, error="LookupError: no mailbox", ended_at=NOON, sweep_at=NOON), model)
    _, queue, type_, _ = JobKey.of(a_record()).position.split("#")
    for number in range(JOBS):
        at = NOON - timedelta(milliseconds=(JOBS - number) * 400)
        job_id = f"job-{number}"
        position = f"{at.isoformat(timespec='milliseconds')}#{queue}#{type_}#{job_id}"
        item = {
            **(dead if number % 10 == 0 else alive),
            "pk": {"S": pk_of(job_id)},
            "job_id": {"S": job_id},
            "created_at": {"N": str(int(at.timestamp() * 1000))},
            "recent_key": {"S": position},
        }
        shard = shard_of(job_id)
        services.items[item["pk"]["S"], item["sk"]["S"]] = item
        services.indexes[recent_shard_of("2026-01-02", shard)].append((position, item))
        if "sweep_at" in item:
            milliseconds = int(at.timestamp() * 1000)
            item["sweep_at"] = {"N": str(milliseconds)}
            services.indexes[dead_shard_of(shard)].append((milliseconds, item))
    return services


@pytest.fixture(name="api")
def a_full_api(services: Services) -> Client:
    app = an_application()
    clients: Any = services
    app.use(
        replace(
            memory_ports(Clock()),
            ledger=DynamoLedger(clients, stack=STACK, region=REGION),
            lanes=SqsLanes(clients, stack=STACK, report=lambda *_: None),
            flags=DynamoFlags(clients, stack=STACK),
            schedules=DynamoSchedules(clients, stack=STACK),
            workflows=DynamoWorkflows(clients, stack=STACK),
            statistics=DynamoStatistics(clients, stack=STACK),
        )
    )
    services.calls.clear()
    return a_client(app)


@pytest.mark.parametrize(
    ("path", "shows"),
    [
        ("/", "Overview"),
        ("/jobs", "job-99999"),
        ("/jobs?type=user.greeting", "job-99999"),
        ("/jobs?queue=email&status=dead", "job-99990"),
        ("/jobs?type=upkeep.sweep", "Look further back"),
        ("/jobs/job-500", "job-500"),
        ("/dead", "There are more"),
        ("/dead?queue=email", "There are more"),
        ("/workflows", "Look further back"),
        ("/schedules", "upkeep.sweep"),
        ("/cost", "Cost"),
        ("/api/jobs", "job-99999"),
        ("/api/jobs?status=dead&limit=100", "job-99990"),
        ("/api/admin/dlq?limit=100", "job-99990"),
        ("/api/jobs/metrics", "CRITICAL"),
        ("/api/stats", "critical"),
        ("/metrics", "lanework_messages"),
        ("/api/schedules", "upkeep.sweep"),
    ],
)
def test_a_page_takes_at_most_five_calls_of_each_service(
    api: Client, services: Services, path: str, shows: str
) -> None:
    answer = api.get(path)

    assert (answer.status, shows in answer.text) == (200, True)
    assert services.calls["sqs"] <= MOST_OF_EACH
    assert services.calls["dynamodb"] <= MOST_OF_EACH
    assert services.calls.total() > 0


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs?status=dead", "/dead", "/schedules", "/limits", "/cost"])
def test_a_page_is_at_most_60_kb(api: Client, path: str) -> None:
    assert len(api.get(path).text.encode()) <= LARGEST_PAGE


def test_the_jobs_of_one_error_take_as_many(api: Client, services: Services) -> None:
    fingerprint = api.get("/api/admin/dlq?limit=1").json["jobs"][0]["fingerprint"]
    services.calls.clear()

    answer = api.get(f"/dead/{fingerprint}")

    assert ("job-99990" in answer.text, services.calls["dynamodb"]) == (True, 5)
    assert len(answer.text.encode()) <= LARGEST_PAGE


def test_the_last_page_costs_what_the_first_does(api: Client, services: Services) -> None:
    costs, cursor = set(), ""
    for _ in range(5):
        services.calls.clear()
        page = api.get(f"/api/jobs?limit=100{cursor}").json
        costs.add(services.calls["dynamodb"])
        cursor = f"&cursor={quote(page['cursor'])}"

    assert costs == {MOST_OF_EACH}
