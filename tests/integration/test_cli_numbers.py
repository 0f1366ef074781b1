"""The commands about numbers, on a stack on which jobs ran, and what `top` shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from subprocess import PIPE

import pytest
from rich.console import Console

from lanework.cli.progress import bar
from lanework.cli.top import screen, sparkline
from lanework.engine.stats.overview import stack_overview
from lanework.errors import JobNotFoundError
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause
from lanework.model.stats.alert_rules import Finding, Rule
from lanework.model.stats.alerts import Alerts
from lanework.model.stats.buckets import Bucket, Incident, Kind
from lanework.model.stats.numbers import Count, Key, Numbers, a_wait
from lanework.testing import NOON, memory_ports
from tests.support.commands import run
from tests.support.stacks import REGION
from tests.support.worker_edge import Edge, Number

KEY = Key(lane=Lane.HIGH, queue="numbers", type="number.square")


@pytest.fixture(name="ran")
def an_edge_on_which_jobs_ran(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Edge:
    """Let one job complete and one die; the commands talk to its stack."""
    endpoint = edge.sqs.meta.endpoint_url
    for name, value in {"LANEWORK_STACK": edge.stack, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir("/")
    edge.square.enqueue(Number(n=2), job_id="job-1")
    edge.square.enqueue(Number(n=-1), job_id="job-2", attempts=1)
    edge.deliver()
    return edge


def test_what_jobs_did_is_told_by_lane_queue_and_type_and_the_same_everywhere(ran: Edge) -> None:
    lane = json.loads(run("stats", "--json").output)["high"]
    queue = json.loads(run("stats", "--by", "queue", "--json").output)["numbers"]
    type_ = json.loads(run("stats", "--by", "type", "--day", "--json").output)["number.square"]

    assert (0, 0, 1, 1) == (lane["waiting"], lane["active"], lane["failed"], lane["completed"])
    for numbers in (lane["lastHour"], queue["lastHour"], queue["lastDay"], type_):
        assert (2, 1, 1, 0.5) == (
            *(numbers["started"], numbers["completed"], numbers["dead"]),
            numbers["failureShare"],
        )
    for by in ("lane", "queue", "type"):
        assert {"lane": "high", "queue": "numbers", "type": "number.square"}[by] in run("stats", "--by", by).output
    assert ran.ran == [2, -1]


def test_late_jobs_are_counted_and_listed(ran: Edge) -> None:
    # The fixture's messages say that they were sent in January: the two of them are late.
    found = json.loads(run("sla", "--json").output)
    high = next(one for one in found["lanes"] if one["lane"] == "high")

    assert (2, 2, 0.0, 5.0) == (high["starts"], high["late"], high["kept"], high["slaSeconds"])
    assert {"job-1", "job-2"} == {one["jobId"] for one in found["lateJobs"]}
    shown = run("sla", "--lane", "high").output
    assert "job-1" in shown
    assert "0.0%" in shown
    assert "job-1" not in run("sla", "--lane", "low").output
    assert len(ran.ran) == 2


def test_costs_are_an_estimate_with_a_date(ran: Edge) -> None:
    found = json.loads(run("costs", "--json").output)
    (cost,) = found["types"]

    assert (True, "2026-11-24") == (found["isEstimate"], found["pricesAsOf"])
    assert ("number.square", 2) == (cost["type"], cost["jobs"])
    assert cost["usd"] > 0
    assert cost["invocations"] == 1
    said = run("costs", "--hour").output
    assert "An estimate for" in said
    assert "USD of it on demand" in said
    assert "provisioned (TableCapacity), at this load if it is steady." in said
    assert len(ran.ran) == 2


def test_an_active_alert_is_an_exit_code(ran: Edge) -> None:
    assert ("no alerts\n", 0) == (run("alerts").output, run("alerts").exit_code)
    ran.app.runtime.alert_manager().tick(ran.app.inspector.counts())

    result = run("alerts", "--json")

    assert result.exit_code == 1
    assert "death" in [one["rule"] for one in json.loads(result.output)["active"]]
    assert "number.square died" in run("alerts").output


def test_an_alerts_next_step_is_whole_however_long_it_is(ran: Edge) -> None:
    name = "number." + "x" * 200
    finding = Finding(rule=Rule.DEATH, subject=name, text=f"1 job of type {name} died", next_step=f"dlq list {name}")
    alerts = Alerts().after([finding], now=NOON)
    ran.app.ports.statistics.keep_alerts(
        alerts.after([], now=NOON + timedelta(minutes=1)).after([], now=NOON + timedelta(minutes=6)).text, before=None
    )

    lines = run("alerts").output.splitlines()

    assert lines == [
        "over, from 2026-01-02 12:00:00Z to 2026-01-02 12:01:00Z",
        f"  1 job of type {name} died",
        f"  look: dlq list {name}",
    ]


def test_a_job_is_followed_to_its_end_and_the_end_is_an_exit_code(ran: Edge) -> None:
    ran.square.enqueue(Number(n=50), job_id="job-3")
    command = [str(Path(sys.executable).with_name("lanework")), "tail", "job-3"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=PIPE, text=True) as tail:
        assert tail.stdout is not None
        first = tail.stdout.readline()
        ran.deliver()
        rest = tail.stdout.read()

    assert tail.returncode == 0
    assert ("queued" in first, "completed, attempt 1 of 3" in rest) == (True, True)


def test_a_dead_job_is_told_with_its_cause(ran: Edge) -> None:
    result = run("tail", "job-2")

    assert result.exit_code == 1
    assert "dead, attempt 1 of 1: exhausted, ValueError" in result.output
    last = json.loads(run("tail", "job-2", "--json").output.splitlines()[-1])
    (line,) = last["lines"]
    assert (last["status"], "ValueError at" in line) == ("dead", True), "its log ends with where it was raised"
    assert ran.app.get("job-1").attempts == 1
    with pytest.raises(JobNotFoundError):
        run("tail", "nothing")


def test_top_needs_a_terminal() -> None:
    result = run("top")

    assert result.exit_code == 1
    assert "stats --watch" in result.output


def test_top_shows_alerts_lanes_and_what_was_late_or_died() -> None:
    ports = memory_ports()
    waited = Numbers(a_wait(timedelta(seconds=6)))
    numbers = waited + Numbers({Count.STARTED: 10, Count.FIRST_STARTS: 10, Count.LATE: 1})
    death = Incident(
        kind=Kind.DEATH,
        at=NOON,
        job_id="job-7",
        type="number.square",
        queue="numbers",
        lane=Lane.HIGH,
        attempt=3,
        cause=Cause.EXHAUSTED,
    )
    ports.statistics.add(Bucket(at=NOON, numbers={KEY: numbers}, incidents=(death,)))
    finding = Finding(rule=Rule.DEATH, subject="number.square", text="a job died", next_step="lanework dlq list")
    ports.statistics.keep_alerts(Alerts().after([finding], now=NOON).text, before=None)
    ports.flags.pause("lane:low")
    console = Console(file=StringIO(), width=160)

    console.print(screen(stack_overview(ports), NOON))

    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for text in ("a job died", "2.0", "90.0%", "low (paused)", "paused: lane:low", "job-7  died, exhausted"):
        assert text in shown, text


@pytest.mark.parametrize(("values", "bars"), [((), ""), ((0, 0, 0, 0), "  "), ((1, 0, 2, 2, 8, 0), "▁▄█"), ((3,), "█")])
def test_bars_are_as_high_as_their_values(values: tuple[int, ...], bars: str) -> None:
    assert sparkline(values) == bars


def test_a_bar_is_shown_in_a_terminal_only() -> None:
    for is_terminal in (True, False):
        console = Console(file=StringIO(), force_terminal=is_terminal, width=80)
        with bar("redriving", total=2, console=console) as show:
            show(1)
        assert ("redriving" in console.file.getvalue()) is is_terminal  # type: ignore[attr-defined]
