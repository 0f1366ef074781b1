"""`lanework dlq` on a stack with dead jobs of the example application."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from jobs import app as example
from lanework import Cause, Lane, State
from lanework.engine.execution.attempt import in_order
from lanework.engine.messaging.delivery import Ack, Delivery
from lanework.errors import LaneworkError
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.commands import first_line, run
from tests.support.factories import a_record
from tests.support.stacks import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lanework import JobRecord
    from lanework.engine.ports.bundle import Ports

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Desk:
    """A stack, and the command on it."""

    stack: str
    endpoint: str
    ports: Ports

    def __call__(self, *words: str, stdin: str | None = None, exit_code: int = 0) -> str:
        """Run `lanework dlq`; return what it printed, or raise what it complained of."""
        result = run("dlq", *words, stdin=stdin)
        assert exit_code == result.exit_code, result.output
        return result.output.removeprefix(first_line())

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))

    def send_to_dlq(self, job_id: str = "job-1", **facts: Any) -> None:
        """Record a dead job that would run well now."""
        ordinary = {"type": "demo.greet", "queue": "demo", "lane": Lane.MEDIUM, "error": f"OSError: {job_id} timed out"}
        at = facts.pop("died_at", NOW - timedelta(minutes=5))
        dead = {"state": State.DEAD, "cause": Cause.EXHAUSTED, "due_at": None, "ended_at": at, "sweep_at": at}
        self.ports.ledger.put(a_record(job_id=job_id, created_at=at, run_at=at, **(ordinary | dead | facts)))

    def stored(self, job_id: str = "job-1") -> JobRecord:
        record = self.ports.ledger.get(job_id)
        assert record is not None
        return record

    def work(self, *lanes: Lane) -> None:
        """Run what the lanes hold, once."""
        example.use(self.ports)
        sqs = boto3.client("sqs", region_name=REGION, endpoint_url=self.endpoint)
        for lane in lanes:
            url = sqs.get_queue_url(QueueName=f"{self.stack}-{lane}")["QueueUrl"]
            for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                delivery = Delivery(body=one["Body"], lane=lane, time_left=timedelta(minutes=15))
                if example.runtime.executor(in_order).execute(delivery) == Ack():
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])

    @contextmanager
    def working(self, *lanes: Lane) -> Iterator[None]:
        """Keep running what the lanes hold, in a thread."""
        stop = threading.Event()

        def loop() -> None:
            while not stop.is_set():
                self.work(*lanes)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@pytest.fixture(name="desk_at")
def a_desk_at(stack_at: Callable[[str], str]) -> Callable[[str], Desk]:
    def at(endpoint: str) -> Desk:
        stack = stack_at(endpoint)
        return Desk(stack, endpoint, aws_ports(Settings(stack=stack, region=REGION, endpoint=endpoint)))

    return at


@pytest.fixture(name="dlq")
def a_desk(desk_at: Callable[[str], Desk], moto_endpoint: str) -> Desk:
    return desk_at(moto_endpoint)


def test_dead_jobs_are_listed_the_latest_death_first_and_page_by_page(dlq: Desk) -> None:
    for number in range(5):
        dlq.send_to_dlq(f"job-{number}", died_at=NOW - timedelta(minutes=number))

    first = dlq.json("list", "--limit", "3")
    second = dlq.json("list", "--limit", "3", "--cursor", first["cursor"])

    assert ["job-0", "job-1", "job-2"] == [job["jobId"] for job in first["jobs"]]
    assert (["job-3", "job-4"], None) == ([job["jobId"] for job in second["jobs"]], second["cursor"])
    assert ("dead", "exhausted", "OSError: job-0 timed out") == (
        *(first["jobs"][0]["status"], first["jobs"][0]["cause"]),
        first["jobs"][0]["error"],
    )
    assert "More: --cursor" in dlq("list", "--limit", "3")
    assert "job-4" in dlq("list")


def test_where_nothing_is_dead_the_list_says_so(dlq: Desk) -> None:
    assert dlq("list") == "no job is dead\n"
    assert dlq("list", "--group") == "no job is dead\n"
    assert dlq.json("list") == {"jobs": [], "cursor": None}


@pytest.mark.parametrize(
    "words",
    [
        ("--lane", "low"),
        ("--lane", "4"),
        ("--queue", "report"),
        ("--type", "report.month"),
        ("--cause", "crashed"),
        ("--error", "DISK FULL"),
        ("--older-than", "1d"),
    ],
)
def test_each_filter_picks_its_job(dlq: Desk, words: tuple[str, str]) -> None:
    dlq.send_to_dlq("other")
    dlq.send_to_dlq(
        "picked",
        type="report.month",
        queue="report",
        lane=Lane.LOW,
        cause=Cause.CRASHED,
        error="OSError: disk full",
        died_at=NOW - timedelta(days=2),
    )

    assert ["picked"] == [job["jobId"] for job in dlq.json("list", *words)["jobs"]]
    assert ["other"] == [job["jobId"] for job in dlq.json("list", "--younger-than", "1d")["jobs"]]
    assert ["picked"] == [job["jobId"] for job in dlq.json("redrive", *words, "--dry-run")["jobs"]]


def test_a_grouped_list_shows_what_went_wrong_and_its_fingerprint_picks_it(dlq: Desk) -> None:
    for number in range(3):
        dlq.send_to_dlq(f"job-{number}")
    dlq.send_to_dlq("other", error="ValueError: no")

    first, second = dlq.json("list", "--group")["groups"]

    assert (first["error"], first["count"], second["count"]) == ("OSError: <n> timed out", 3, 1)
    picked = dlq.json("list", "--fingerprint", first["fingerprint"])["jobs"]
    assert {"job-0", "job-1", "job-2"} == {job["jobId"] for job in picked}
    assert first["fingerprint"] in dlq("list", "--group")


def test_a_dead_job_is_shown_with_its_failures_and_its_log_and_its_payload_only_when_asked(dlq: Desk) -> None:
    dlq.send_to_dlq(payload='{"name":"Бат"}')
    dlq.ports.ledger.add_log("job-1", "claim-1", at=NOW, lines=["began", "stopped"])

    shown = dlq("show", "job-1")

    assert "OSError: job-1 timed out" in shown
    assert "stopped" in shown
    assert "Бат" not in shown + dlq("show", "job-1", "--json")
    assert dlq("show", "job-1", "--payload") == '{"name":"Бат"}\n'
    assert dlq.json("show", "job-1")["log"] == ["began", "stopped"]


def test_a_dry_run_shows_what_would_move_and_changes_nothing(dlq: Desk) -> None:
    dlq.send_to_dlq()
    before = dlq.stored()

    for action in ("redrive", "drop"):
        assert f"Would {action} 1 job. Nothing was changed." in dlq(action, "--all", "--dry-run")
        plan = dlq.json(action, "--all", "--dry-run")
        assert (plan["dryRun"], plan["matched"], plan["jobs"][0]["jobId"]) == (True, 1, "job-1")

    assert before == dlq.stored()
    assert dlq.ports.lanes.counts(Lane.MEDIUM).waiting == 0


def test_one_job_is_redriven_without_a_question_and_runs(dlq: Desk) -> None:
    dlq.send_to_dlq()

    assert dlq("redrive", "job-1") == "1 of 1 redriven\n"

    assert (dlq.stored().state, dlq.stored().life, dlq.stored().attempts) == (State.QUEUED, 2, 0)
    dlq.work(Lane.MEDIUM)
    assert (dlq.stored().state, dlq.stored().result) == (State.COMPLETED, '"Hello, Bat!"')


def test_many_are_asked_for_first(dlq: Desk) -> None:
    for number in range(3):
        dlq.send_to_dlq(f"job-{number}")

    with pytest.raises(LaneworkError, match=r"^nothing was changed$"):
        dlq("redrive", "--cause", "exhausted", stdin="n\n")
    with pytest.raises(LaneworkError, match="there was no answer, and nothing was changed; --yes skips"):
        dlq("redrive", "--all")
    assert len(dlq.json("list")["jobs"]) == 3
    assert "Redrive 3 dead jobs (cause exhausted)? [y/N]" in dlq("redrive", "--cause", "exhausted", stdin="y\n")
    assert dlq.json("list")["jobs"] == []


def test_a_drop_asks_even_for_one_and_ends_it_for_good(dlq: Desk) -> None:
    dlq.send_to_dlq()

    with pytest.raises(LaneworkError, match="nothing was changed"):
        dlq("drop", "job-1", stdin="n\n")
    assert dlq.stored().state is State.DEAD

    dropped = dlq.json("drop", "job-1", "--yes")

    assert (dropped["matched"], dropped["moved"], dropped["passedOver"]) == (1, 1, 0)
    assert dlq.stored().state is State.CANCELLED


@pytest.mark.parametrize("action", ["redrive", "drop"])
def test_of_several_ids_those_that_are_dead_are_moved_and_the_exit_code_and_the_output_tell_of_the_others(
    dlq: Desk, action: str
) -> None:
    dlq.ports.ledger.put(a_record(job_id="alive"))
    for job_id in ("job-1", "job-2", "job-3", "job-4"):
        dlq.send_to_dlq(job_id)

    said = dlq(action, "job-1", "alive", "nobody", "job-2", "--yes", exit_code=1)
    printed = dlq(action, "job-3", "alive", "job-4", "--yes", "--json", exit_code=1)
    told, _ = json.JSONDecoder().raw_decode(printed, printed.index("{"))

    assert "2 of 4 " in said
    assert "left as it is: alive (queued)" in said
    assert "left as it is: nobody (not found)" in said
    assert (told["moved"], told["leftOut"]) == (2, {"alive": "queued"})
    assert State.DEAD not in {dlq.stored(f"job-{number}").state for number in range(1, 5)}


def test_a_job_is_redriven_with_another_payload(dlq: Desk, tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"name":"Болд"}', encoding="utf-8")
    for job_id in ("from-file", "from-stdin", "from-words"):
        dlq.send_to_dlq(job_id)

    assert "with the new payload" in dlq("redrive", "from-file", "--payload", f"@{file}")
    dlq("redrive", "from-stdin", "-p", "-", stdin='{"name":"Болд"}')
    assert dlq.json("redrive", "from-words", "-p", '{"name":"Болд"}')["moved"] == 1
    dlq.work(Lane.MEDIUM)

    results = {dlq.stored(job_id).result for job_id in ("from-file", "from-stdin", "from-words")}
    assert results == {'"Hello, Болд!"'}


def test_an_edit_is_checked_in_a_dry_run_too(dlq: Desk) -> None:
    dlq.send_to_dlq()

    assert "Would redrive 1 job" in dlq("redrive", "job-1", "-p", "{}", "--dry-run")
    with pytest.raises(LaneworkError, match=r"payload of demo\.greet is not valid"):
        dlq("redrive", "job-1", "-p", '{"name": 5}', "--dry-run")
    assert dlq.stored().state is State.DEAD


def test_more_than_a_page_becomes_a_job_that_a_worker_carries_out(dlq: Desk) -> None:
    for number in range(101):
        dlq.send_to_dlq(f"job-{number}")

    answer = dlq.json("redrive", "--all", "--yes")

    assert (answer["matched"], len(answer["jobs"])) == (101, 100)
    dlq.work(Lane.LOW)
    job = dlq.stored(answer["jobId"])
    assert (job.type, job.state, job.progress) == ("lanework.redrive", State.COMPLETED, 100)
    assert job.result == '{"moved":101,"passedOver":0,"stopped":null}'
    assert dlq.ports.lanes.counts(Lane.MEDIUM).waiting == 101


def test_more_than_a_page_says_how_to_follow_and_stop_it(dlq: Desk) -> None:
    for number in range(101):
        dlq.send_to_dlq(f"job-{number}")

    said = dlq("drop", "--all", "--yes")

    assert "101 jobs are being dropped by job " in said
    assert "lanework cancel " in said


def test_a_canary_goes_on_while_its_jobs_end_well(dlq: Desk) -> None:
    for number in range(4):
        dlq.send_to_dlq(f"job-{number}")

    with dlq.working(Lane.MEDIUM):
        assert "4 of 4 redriven" in dlq("redrive", "--all", "--canary", "--yes")


def test_a_canary_that_dies_again_stops_the_rest_and_says_so(dlq: Desk) -> None:
    for number in range(4):
        dlq.send_to_dlq(f"job-{number}", type="demo.doomed", payload="{}", max_attempts=1)

    with dlq.working(Lane.MEDIUM):
        said = dlq("redrive", "--all", "--canary", "--yes", exit_code=1)

    assert "1 of 4 redriven" in said
    assert "died again: OnPurposeError; 3 were left as they are" in said
    assert [1, 1, 1, 2] == sorted(dlq.stored(f"job-{number}").life for number in range(4))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("list", "--type", "demo.gret"), "unknown job type 'demo.gret', did you mean 'demo.greet'?"),
        (("list", "--cause", "crashed"), "no dead job matches cause crashed; dead are: 1 demo.greet in lane medium (e"),
        (("drop", "--error", "x", "-y"), "no dead job matches error with 'x'; dead are: 1 demo.greet in lane medium"),
        (("list", "--fingerprint", "0" * 8, "--group"), "no dead job matches fingerprint 00000000; dead are: 1 demo"),
        (("redrive",), "no jobs are selected: give ids, or filters such as --cause exhausted, or --all"),
        (("drop", "--all", "--lane", "high"), "ids, filters and --all exclude each other: give ids, or filters such"),
        (("redrive", "alive"), "job 'alive' is queued, not dead: it will run by itself"),
        (("show", "alive"), "job 'alive' is queued, not dead: it will run by itself"),
        (("redrive", "nobody"), "no job 'nobody'"),
        (("redrive", "job-1", "-p", '{"name": 5}'), "payload of demo.greet is not valid: name: "),
        (("redrive", "--all", "-p", "{}"), "--payload is for exactly one job, by its id; got 0 ids"),
        (("redrive", "--native"), "--native moves all tickets of one lane and takes no filter: "),
        (("redrive", "--native", "--lane", "high", "--cause", "crashed"), "--native moves all tickets of one lane"),
        (("redrive", "--native", "--lane", "high", "--rate", "0.5"), "with --native, --rate is a whole number"),
        (("redrive", "--native", "--lane", "high", "--rate", "900", "-y"), "SQS moves 1 to 500 messages a second"),
        (("list", "--cursor", "x"), "cursor 'x' is not one that this list gave out"),
    ],
)
def test_a_mistake_is_refused_in_a_line_that_says_what_would_work(
    dlq: Desk, words: tuple[str, ...], complaint: str
) -> None:
    dlq.send_to_dlq()
    dlq.ports.ledger.put(a_record(job_id="alive"))

    with pytest.raises(LaneworkError) as refused:
        dlq(*words)

    assert str(refused.value).startswith(complaint)
    assert "\n" not in str(refused.value)
    assert dlq.stored().state is State.DEAD


def test_where_sqs_cannot_move_messages_the_way_that_works_is_named(
    desk_at: Callable[[str], Desk], ministack_endpoint: str
) -> None:
    dlq = desk_at(ministack_endpoint)

    with pytest.raises(LaneworkError) as refused:
        dlq("redrive", "--native", "--lane", "2", "--yes")

    assert str(refused.value) == (
        f"the SQS of {ministack_endpoint} has no StartMessageMoveTask; "
        "redrive by record instead: lanework dlq redrive --lane high"
    )


def test_a_refused_message_is_listed_sent_again_and_runs_once_it_can(dlq: Desk) -> None:
    body = json.dumps({"lanework": 1, "type": "demo.greet", "payload": {"name": "Bat"}, "id": "from-node"})
    dlq.ports.lanes.send_to_dlq(Lane.MEDIUM, body, cause="invalid", error="open message refused: no such type")
    dlq.ports.lanes.send_to_dlq(Lane.MEDIUM, "hello", cause="invalid", error="not a Lanework message")

    (ours, foreign) = sorted(dlq.json("messages", "--queue", "medium")["messages"], key=lambda one: one["type"] or "~")
    assert (ours["type"], ours["jobId"], ours["reason"], ours["canBeSent"]) == (
        "demo.greet",
        "from-node",
        "open message refused: no such type",
        True,
    )
    assert (foreign["canBeSent"], foreign["reason"]) == (False, "not a Lanework message")
    assert "from-node" in dlq("messages")

    assert "1 message was sent again" in dlq("resend")
    assert "0 messages were sent again" in dlq("resend", "--type", "demo.greet")
    dlq.work(Lane.MEDIUM)
    dlq.work(Lane.MEDIUM)  # the open message, then the job's own
    assert dlq.stored("from-node").state is State.COMPLETED
