"""What the demo says of a lane whose function was cold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lanework.local.demo import WarmStart
from lanework.model.lanes import Lane


@pytest.mark.parametrize(
    ("warm_ms", "so"), [(90, "0.09 s, within"), (1_000, "1.00 s, within"), (1_200, "1.20 s, over")]
)
def test_the_demo_says_what_was_cold_and_whether_a_warm_lane_keeps_its_sla(warm_ms: int, so: str) -> None:
    start = WarmStart(
        lane=Lane.CRITICAL,
        cold=timedelta(milliseconds=1_790),
        warm=timedelta(milliseconds=warm_ms),
        within=timedelta(seconds=1),
    )

    assert str(start) == (
        "lane critical: the first job waited 1.79 s, while its function started; "
        f"the next, on a warm one, {so} the lane's 1 s"
    )
