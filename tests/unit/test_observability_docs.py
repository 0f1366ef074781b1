"""docs/observability.md names what the code has: metrics, rules, prices."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lanework.engine.stats.overview import stack_overview
from lanework.model.events import Action, Event
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause
from lanework.model.stats.alert_rules import Rule, Thresholds
from lanework.model.stats.buckets import Bucket
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.observe.logs import fields_of, is_logged
from lanework.observe.openmetrics import openmetrics
from lanework.testing import NOON, memory_ports

DOCS = (Path(__file__).parents[2] / "docs" / "observability.md").read_text()


def test_every_metric_is_described_with_its_type_and_labels() -> None:
    ports = memory_ports()
    key = Key(lane=Lane.HIGH, queue="email", type="user.otp")
    ports.statistics.add(Bucket(at=NOON, numbers={key: Numbers({Count.STARTED: 1})}))
    families: Any = text_string_to_metric_families(openmetrics(stack_overview(ports)))  # type: ignore[no-untyped-call]
    written = {
        (one.name, one.type, *sorted({label for sample in one.samples for label in sample.labels} - {"le"}))
        for one in families
    }

    rows = re.findall(r"^\| `(lanework_\w+)` \| (\w+) \| (.*) \|$", DOCS, flags=re.MULTILINE)

    assert written == {(name, kind, *re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}


def test_every_rule_is_described_with_its_threshold() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", DOCS, flags=re.MULTILINE))
    limits = Thresholds()

    assert {rule.value for rule in Rule} <= set(rows)
    assert f"more than {limits.deaths} jobs" in rows["deaths"]
    assert f"more than {limits.waiting:,} messages" in rows["waiting"]
    assert f"more than {limits.failed} dead jobs" in rows["failed"]
    assert f"at least {limits.starts}" in rows["sla"]


def test_every_event_is_listed_with_fields_that_a_log_line_has() -> None:
    events = DOCS.partition("### Every event")[2]
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+) \| (.+) \|$", events, flags=re.MULTILINE)
    full = Event(
        action=Action.JOB_DEAD,
        at=NOON,
        cause=Cause.EXHAUSTED,
        public={"a": 1},
        **dict.fromkeys(("job_id", "type", "queue", "lane", "error_type", "reason", "schedule"), "text"),  # type: ignore[arg-type]
        **dict.fromkeys(("wait", "ran_for", "waited"), timedelta(seconds=1)),  # type: ignore[arg-type]
        attempt=1,
        memory_mb=256,
        correlation_id="c",
    )

    assert [name for name, _, _ in rows] == [one.value for one in Action], "in the order of the enum"
    named = {field for _, _, fields in rows for field in re.findall(r"`(\w+)`", fields)}
    assert named <= set(fields_of(full))
    assert {re.sub(r"`\w+`", "", fields).replace(",", "").strip() for _, _, fields in rows} <= {
        "",
        "job",
        "job attempt",
    }


def test_the_events_that_are_logged_at_debug_only_are_named() -> None:
    named = re.findall(r"Quiet lines are at `DEBUG`:\n(.*?)\. `LogLevel", DOCS, flags=re.DOTALL)

    assert {one.value for one in Action if not is_logged(Event(action=one, at=NOON))} == {
        name for text in named for name in re.findall(r"`([a-z_.]+)`", text)
    }


def test_an_events_name_in_the_code_is_its_name_in_the_logs() -> None:
    assert {one.name: one.value for one in Action} == {
        one.name: one.name.lower().replace("_", ".", 1) for one in Action
    }
