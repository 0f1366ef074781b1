"""What docs/deploy.md reckons costs with is what is asked of AWS, and written to the logs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from io import StringIO
from typing import Any

from aws_lambda_powertools import Logger

from lanework.edges.clock import clock
from lanework.observe.logs import LogSink
from tests.support import monthly_costs
from tests.support.worker_edge import Edge, LambdaContext, Number


def test_a_minute_without_jobs_asks_no_more_of_aws_than_the_guide_reckons_with(edge: Edge) -> None:
    context: Any = LambdaContext(remaining_ms=60_000)
    tick = clock(edge.app)
    tick({}, context)
    edge.calls.clear()

    tick({}, context)

    costs = monthly_costs
    kinds = ((costs.READS, costs.TICK_READS), (costs.WRITES, costs.TICK_WRITES), (costs.OF_SQS, costs.TICK_SQS))
    for names, reckoned in kinds:
        assert reckoned / 2 <= sum(edge.calls[name] for name in names) <= reckoned
    assert set(edge.calls) <= {*costs.READS, *costs.WRITES, *costs.OF_SQS}


def test_a_job_writes_no_more_to_the_logs_than_the_guide_reckons_with(edge: Edge) -> None:
    written = StringIO()
    sink = LogSink(Logger(service="lanework-prod", location=None, stream=written))
    edge.app.use(replace(edge.app.ports, events=sink))
    edge.square.enqueue(Number(n=3))

    edge.deliver()

    size = len(written.getvalue().encode())
    assert Counter(line.split('"action":"')[1].split('"')[0] for line in written.getvalue().splitlines()) == {
        "job.enqueued": 1,
        "job.started": 1,
        "job.completed": 1,
    }
    assert monthly_costs.LOG_BYTES * 0.8 < size <= monthly_costs.LOG_BYTES
