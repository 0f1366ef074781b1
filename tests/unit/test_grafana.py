"""infra/grafana/lanework.json asks for nothing that /metrics doesn't give."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lanework.engine.stats.overview import stack_overview
from lanework.model.lanes import Lane
from lanework.model.stats.buckets import Bucket
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.observe.openmetrics import openmetrics
from lanework.testing import NOON, memory_ports

DASHBOARD = json.loads((Path(__file__).parents[2] / "infra" / "grafana" / "lanework.json").read_text())
KEY = Key(lane=Lane.HIGH, queue="email", type="user.otp")

QUERIES = [
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
    *(one["definition"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"),
]


@pytest.fixture(scope="module")
def samples() -> dict[str, set[str]]:
    """The labels of every sample that the renderer writes."""
    ports = memory_ports()
    ports.statistics.add(Bucket(at=NOON, numbers={KEY: Numbers({Count.STARTED: 1})}))
    found: dict[str, set[str]] = {}
    families: Any = text_string_to_metric_families(openmetrics(stack_overview(ports)))  # type: ignore[no-untyped-call]
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_each_metric_of_the_dashboard_exists_with_the_labels_that_it_is_asked_by(
    query: str, samples: dict[str, set[str]]
) -> None:
    metrics = re.findall(r"(lanework_\w+)(?:\{([^}]*)\})?", query)
    assert metrics
    for name, selector in metrics:
        assert name in samples
        assert set(re.findall(r"(\w+)=", selector)) <= samples[name]
    for names in re.findall(r"by \(([^)]*)\)", query):
        assert {one.strip() for one in names.split(",")} <= set().union(*(samples[name] for name, _ in metrics))


def test_every_metric_is_on_the_dashboard_but_what_is_measured_twice(samples: dict[str, set[str]]) -> None:
    asked = {name for query in QUERIES for name in re.findall(r"lanework_\w+", query)}

    left_out = {name for name in samples if name not in asked and not name.endswith(("_sum", "_count"))}
    assert left_out == {"lanework_lane_paused"}


def test_panels_do_not_overlap_and_have_a_title_each() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    titles = [panel["title"] for panel in DASHBOARD["panels"]]
    assert len(set(titles)) == len(titles) == len({panel["id"] for panel in DASHBOARD["panels"]})
