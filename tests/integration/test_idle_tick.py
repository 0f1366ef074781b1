"""What docs/deploy.md reckons costs with is what is asked of AWS."""

from __future__ import annotations

from typing import Any

from lanework.edges.clock import clock
from tests.support import monthly_costs
from tests.support.worker_edge import Edge, LambdaContext


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
