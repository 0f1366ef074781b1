"""The command on a stack that `LANEWORK_STACK` and the AWS variables name, with the example application's own jobs."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs import app as example
from lanework.errors import InvalidOptionError, LaneworkError
from lanework.local.project import Project
from tests.support.commands import said

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lanework(stack: str) -> Callable[..., str]:  # noqa: ARG001 - it is there
    """Run a command; return what it printed, or raise what it complained of."""
    return said


def test_an_enqueued_job_can_be_looked_up_with_every_field_that_clients_know(lanework: Callable[..., str]) -> None:
    lanework("enqueue", "demo.greet", "--payload", '{"name":"Bat"}', "--lane", "2", "--job-id", "job-1")

    job = json.loads(lanework("get", "job-1", "--json"))

    assert {"jobId", "type", "status", "createdAt", "processedAt", "attemptCount", "error"} <= set(job)
    assert ("job-1", "demo.greet", "queued", "high", 0, None) == (
        *(job["jobId"], job["type"], job["status"], job["lane"], job["attemptCount"]),
        job["processedAt"],
    )
    assert "demo.greet" in lanework("get", "job-1")


def test_a_repeated_id_is_told(lanework: Callable[..., str]) -> None:
    assert lanework("enqueue", "demo.greet", "--job-id", "job-1") == "job-1\n"
    assert "existed before" in lanework("enqueue", "demo.greet", "--job-id", "job-1")
    assert {"jobId": "job-1", "duplicate": True, "payloadDiffers": False, "overdueSeconds": None} == json.loads(
        lanework("enqueue", "demo.greet", "--job-id", "job-1", "--json")
    )


def test_a_payload_may_come_from_a_file_or_from_standard_input(lanework: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"name":"Бат"}')

    lanework("enqueue", "demo.greet", "-p", f"@{file}", "--job-id", "from-file")
    lanework("enqueue", "demo.greet", "-p", "-", "--job-id", "from-stdin", stdin='{"name":"Бат"}')

    assert ['{"name":"Бат"}'] * 2 == [example.get(job_id).payload for job_id in ("from-file", "from-stdin")]


def test_a_delay_is_read_as_people_write_it(lanework: Callable[..., str]) -> None:
    lanework("enqueue", "demo.greet", "--job-id", "later", "--delay", "1m30s")

    record = example.get("later")
    assert (record.run_at - record.created_at).total_seconds() == 90


def test_a_start_is_read_as_a_moment_and_one_in_the_past_is_said(lanework: Callable[..., str]) -> None:
    lanework("enqueue", "demo.greet", "--job-id", "later", "--at", "2035-12-24T18:00:00+01:00", "--tenant", "acme")
    record = example.get("later")
    assert (record.run_at.isoformat(), record.tenant) == ("2035-12-24T17:00:00+00:00", "acme")

    assert "that time is past: it starts now" in lanework("enqueue", "demo.greet", "--at", "2020-01-01T00:00:00Z")
    late = json.loads(lanework("enqueue", "demo.greet", "--at", "2020-01-01T00:00:00Z", "--json"))
    assert late["overdueSeconds"] > 0
    assert "doesn't say in which zone" in lanework("enqueue", "demo.greet", "--at", "2035-12-24T18:00:00")


def test_a_last_moment_is_kept(lanework: Callable[..., str]) -> None:
    lanework("enqueue", "demo.greet", "--job-id", "soon", "--start-by", "2035-12-24T18:00:00Z")

    assert str(example.get("soon").start_by) == "2035-12-24 18:00:00+00:00"


def test_jobs_are_listed_by_lane_and_status(lanework: Callable[..., str]) -> None:
    for lane in ("critical", "low", "critical"):
        lanework("enqueue", "demo.greet", "--lane", lane, "--job-id", f"job-{lane}")
    lanework("cancel", "job-low")

    def listed(*words: str) -> list[str]:
        return [job["jobId"] for job in json.loads(lanework("list", *words, "--json"))["jobs"]]

    assert listed("--lane", "1") == listed("--status", "queued") == ["job-critical"]
    assert listed("--status", "cancelled") == ["job-low"]
    assert listed("--lane", "critical", "--status", "cancelled") == []
    assert "'dead'" in lanework("list", "--status", "failed")  # what there is instead


def test_a_window_without_a_key_says_what_to_write(lanework: Callable[..., str]) -> None:
    for option in ("--unique-for", "--debounce"):
        with pytest.raises(InvalidOptionError, match="key="):
            lanework("enqueue", "demo.greet", option, "10m")


def test_jobs_are_listed_newest_first_filtered_and_page_by_page(lanework: Callable[..., str]) -> None:
    for number in range(3):
        lanework("enqueue", "demo.greet", "--job-id", f"greet-{number}")
    lanework("enqueue", "demo.flaky", "--job-id", "flaky")

    first = json.loads(lanework("list", "--limit", "3", "--json"))
    second = json.loads(lanework("list", "--limit", "3", "--cursor", first["cursor"], "--json"))
    only = json.loads(lanework("list", "--type", "demo.flaky", "--json"))

    assert ["flaky", "greet-2", "greet-1"] == [job["jobId"] for job in first["jobs"]]
    assert ["greet-0"] == [job["jobId"] for job in second["jobs"]]
    assert second["cursor"] is None
    assert ["flaky"] == [job["jobId"] for job in only["jobs"]]
    assert json.loads(lanework("list", "--queue", "report", "--json"))["jobs"] == []
    assert "no such jobs enqueued since" in lanework("list", "--queue", "report")
    assert "More: --cursor" in lanework("list", "--limit", "3")


def test_a_queue_is_paused_shown_and_resumed(lanework: Callable[..., str]) -> None:
    assert lanework("pause") == "nothing is paused\n"
    assert lanework("pause", "--queue", "email") == "paused queue:email\n"
    assert json.loads(lanework("pause", "--lane", "5", "--json")) == {"paused": "lane:batch"}

    assert json.loads(lanework("pause", "--json")) == ["lane:batch", "queue:email"]
    assert lanework("resume", "--queue", "email") == "resumed; 0 held jobs start within a minute\n"
    assert lanework("pause") == "lane:batch\n"


def test_a_lane_is_drained_once_it_holds_nothing(lanework: Callable[..., str]) -> None:
    assert lanework("drain", "low") == "low: drained\n"
    lanework("enqueue", "demo.greet", "--lane", "low")

    assert "lane low still holds messages after 0 s: 1 waiting" in lanework("drain", "low", "--timeout", "0")


def test_a_waiting_job_is_rescheduled_and_one_that_ended_is_not(lanework: Callable[..., str]) -> None:
    lanework("enqueue", "demo.greet", "--job-id", "job-1", "--delay", "2d")

    said = lanework("reschedule", "job-1", "--at", "2035-12-24T18:00:00+01:00")
    assert said == "job-1: starts at 2035-12-24 17:00:00Z\n"
    assert json.loads(lanework("reschedule", "job-1", "--json"))["status"] == "queued"

    lanework("cancel", "job-1")
    with pytest.raises(LaneworkError, match=r"is cancelled and doesn't wait for its start: enqueue it again"):
        lanework("reschedule", "job-1")
    assert "not both" in lanework("reschedule", "job-1", "--at", "2035-12-24T18:00:00Z", "--delay", "5")


def test_a_job_is_sent_a_signal_and_one_that_ended_is_not(lanework: Callable[..., str]) -> None:
    lanework("enqueue", "demo.greet", "--job-id", "job-1", "--delay", "2d")

    assert lanework("signal", "job-1", "approved", "-p", '{"by": "Bat"}') == "job-1: approved: kept\n"
    assert json.loads(lanework("signal", "job-1", "approved", "--json")) == {"jobId": "job-1", "outcome": "repeated"}
    assert "--payload is not JSON" in lanework("signal", "job-1", "paid", "-p", "{")
    lanework("cancel", "job-1")
    with pytest.raises(LaneworkError, match="job 'job-1' is cancelled and takes no signal"):
        lanework("signal", "job-1", "paid")


def test_a_waiting_job_is_cancelled_and_one_that_ended_is_not(lanework: Callable[..., str]) -> None:
    lanework("enqueue", "demo.greet", "--job-id", "job-1")

    assert lanework("cancel", "job-1") == "job-1: cancelled\n"
    assert json.loads(lanework("get", "job-1", "--json"))["status"] == "cancelled"
    assert json.loads(lanework("cancel", "job-1", "--json")) == {"jobId": "job-1", "outcome": "cancelled"}
    assert lanework("log", "job-1", "--json").strip() == "[]"


def test_every_lane_is_counted(lanework: Callable[..., str]) -> None:
    lanework("enqueue", "demo.greet", "--lane", "batch")
    lanework("enqueue", "demo.greet", "--lane", "low", "--delay", "60")

    counts = json.loads(lanework("stats", "--json"))

    assert list(counts) == ["critical", "high", "medium", "low", "batch"]
    held = [[counts[lane][name] for name in ("waiting", "active", "delayed", "failed")] for lane in ("batch", "low")]
    assert held == [[1, 0, 0, 0], [0, 0, 1, 0]]
    assert "critical" in lanework("stats")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("enqueue", "demo.gret"), "unknown job type 'demo.gret', did you mean 'demo.greet'?"),
        (("enqueue", "demo.greet", "-p", '{"name": 5}'), "payload of demo.greet is not valid: name: "),
        (("enqueue", "demo.greet", "-p", "{"), "payload of demo.greet is not valid: payload: Invalid JSON"),
        (("enqueue", "demo.greet", "--job-id", "a b"), "job_id 'a b' can't be used"),
        (("get", "nobody"), "no job 'nobody'"),
        (("cancel", "nobody"), "no job 'nobody'"),
        (("log", "nobody"), "no job 'nobody'"),
        (("pause", "--queue", "emial"), "unknown queue 'emial', did you mean 'email'?"),
        (("resume",), "name one lane, one queue or one job type"),
        (("list", "--cursor", "x"), "cursor 'x' is not one that this list gave out"),
    ],
)
def test_a_mistake_is_refused_in_a_line_that_says_what_would_work(
    lanework: Callable[..., str], words: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(LaneworkError) as refused:
        lanework(*words)

    assert str(refused.value).startswith(complaint)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("enqueue", "demo.greet", "--lne", "high"), "No such option: --lne"),
        (("enqueue", "demo.greet", "--delay", "1x"), "is no duration"),
        (("enqueue", "demo.greet", "--lane", "hihg"), "unknown lane 'hihg', did you mean 'high'?"),
        (("drain", "lo"), "unknown lane 'lo', did you mean 'low'?"),
        (("enqueue", "demo.greet", "-p", "@/nowhere"), "can't read the payload"),
        (("enqeue",), "No such command 'enqeue'"),
    ],
)
def test_wrong_usage_says_what_is_known(lanework: Callable[..., str], words: tuple[str, ...], complaint: str) -> None:
    assert complaint in lanework(*words)


def test_a_stack_that_is_not_there_is_named(lanework: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANEWORK_STACK", "elsewhere")

    with pytest.raises(LaneworkError, match=r"reading job x: it doesn't exist; is LANEWORK_STACK right"):
        lanework("get", "x")


def test_without_a_stack_the_message_says_both_ways(
    lanework: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LANEWORK_STACK")

    with pytest.raises(LaneworkError, match=r"set LANEWORK_STACK .* or start the embedded stack with `lanework dev`"):
        lanework("stats")


def test_an_application_is_needed_to_enqueue(
    lanework: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(LaneworkError, match="no Lanework project at"):
        lanework("enqueue", "demo.greet")
    assert not Project(root=tmp_path).home.exists()


def test_scaling_says_how_many_workers_the_backlog_asks_for(lanework: Callable[..., str]) -> None:
    for _ in range(5):
        lanework("enqueue", "demo.greet", "--lane", "low")

    told = json.loads(lanework("scaling", "low", "--run-time", "150s", "-c", "1", "--json"))
    assert (told["waiting"], told["backlogPerWorker"], told["workers"]) == (5, 2, 3)
    assert "workers needed now: 3" in lanework("scaling", "low", "--run-time", "150s", "-c", "1")
    with pytest.raises(InvalidOptionError, match="such as --run-time 2s"):
        lanework("scaling", "low")
    with pytest.raises(InvalidOptionError, match="such as --within 1h"):
        lanework("scaling", "batch")


def test_the_command_says_which_version_it_is(lanework: Callable[..., str]) -> None:
    assert lanework("--version") == f"lanework {version('lanework')}\n"
