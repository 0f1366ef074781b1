"""One odd record breaks no list and no page: it is one row, which says what is wrong with it."""

from __future__ import annotations

import gzip
import io
import json
import re
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import RootModel

from lanework import JobFailedError, Jobs, State
from lanework.cli.output import print_json
from lanework.engine.deadletters.query import DeadJobs
from lanework.engine.execution.outcome import of_value
from lanework.engine.maintenance.archive import Archiver
from lanework.engine.maintenance.cleanup import Cleaner
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.queries.job_view import as_json
from lanework.engine.queries.state_counts import state_counts
from lanework.http.auth.tokens import Role
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.payload import as_values, masked
from lanework.model.job.validation_errors import MASK
from lanework.model.lanes import Lane
from lanework.model.lifecycle.retention import ARCHIVE, Cleaning
from lanework.model.lifecycle.states import Cause, Failure, JobRecord
from lanework.testing import NOON
from tests.support.browsers import logged_in
from tests.support.factories import a_record
from tests.support.fakes import MemoryArchive

if TYPE_CHECKING:
    from tests.support.http_shop import Shop

DEEP = "[" * 900 + "]" * 900
BEYOND = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

ODD: dict[str, dict[str, Any]] = {
    "a-list": {"payload": '[1,"two"]'},
    "a-word": {"payload": '"word"'},
    "a-number": {"payload": "7"},
    "nothing": {"payload": "null"},
    "no-json": {"payload": "{"},
    "empty": {"payload": ""},
    "deep": {"payload": f'{{"name":{DEEP}}}', "result": DEEP},
    "huge": {"payload": f'{{"name":{10**4_000}}}', "result": "9" * 5_001},
    "endless": {"result": '{"a":[NaN,Infinity,-Infinity,1e999]}'},
    "lone": {"payload": '{"name":"\\ud800"}', "result": '"\\udfff"'},
    "no-result": {"result": "{"},
    "not-json": {"payload": "not json", "result": "[" * 5_000, "progress_note": "half", "error": "OSError: 'x"},
    "digits": {"payload": "1" * 5_000, "result": "1" * 5_000, "error": "OSError: x"},
    "brackets": {"payload": "[" * 5_000 + "]" * 5_000, "result": "[]", "error": "OSError: x"},
    "dots": {"result": f'"{"…" * 2_000}"', "error": "…" * 2_000, "progress_note": "…" * 2_000},
    "first": {"run_at": FIRST, "started_at": FIRST, "first_started_at": FIRST, "ended_at": LAST},
    "last": {"run_at": LAST, "due_at": LAST, "start_by": LAST, "started_at": FIRST, "ended_at": LAST},
    "stranger": {"type": "gone.type", "queue": "gone"},
    "unreadable": {"state": State.UNKNOWN, "damage": "state: 'frozen'", "error": "its record can't be read: state"},
    "controls": {"error": "\x00\x1b[31m\u202e", "progress_note": "\x07", "error_type": "\x00"},
    "long": {"error": "x" * 300_000, "progress_note": "x" * 300_000},
    "failed": {"failures": (Failure(attempt=1, life=1, at=FIRST, error="\ud800"),)},
}


def put(shop: Shop, state: State, **more: Any) -> None:
    """Record each odd job, and an ordinary one beside them."""
    ledger: Any = shop.app.ports.ledger
    every: dict[str, dict[str, Any]] = {"ordinary": {}, **ODD}
    for job_id, facts in every.items():
        ended = {"due_at": None, "ended_at": NOON} if state in {State.COMPLETED, State.DEAD} else {}
        record = replace(a_record(job_id=job_id), **{"state": state, **ended, **more, **facts})
        ledger.put(record)


DEAD = {"cause": Cause.EXHAUSTED, "sweep_at": NOON, "error": "OSError: no"}
STATES = [(State.QUEUED, {}), (State.COMPLETED, {}), (State.DEAD, DEAD), (State.RUNNING, {"claim_id": "c"})]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("state", "more"), STATES)
def test_a_list_of_the_api_goes_on_and_is_json(shop: Shop, state: State, more: dict[str, Any], role: Role) -> None:
    put(shop, state, **more)
    api = shop.api.as_(role)

    lists = ["/api/jobs?limit=100", "/api/admin/dlq?limit=100", "/api/admin/dlq/groups", "/api/queues"]
    for path in [*lists, "/api/v1/jobs/queues/email/failed?end=99", "/api/lanes", "/api/queues/email"]:
        answer = api.get(path)
        assert answer.status in {200, 404}, f"{path}: {answer.text[:200]}"
        json.loads(answer.text, parse_constant=pytest.fail)
    listed = {one["jobId"] for one in api.get("/api/jobs?limit=100").json["jobs"]}
    assert listed == {"ordinary", *ODD}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("state", "more"), STATES)
def test_each_page_shows_them(shop: Shop, state: State, more: dict[str, Any], role: Role) -> None:
    put(shop, state, **more)
    browser = logged_in(shop.api, role)

    paths = ["/", "/jobs", "/dead", "/limits", "/schedules", "/workflows", *(f"/jobs/{job_id}" for job_id in ODD)]
    for path in paths:
        answer = browser.get(path)
        assert answer.status == 200, f"{path}: {answer.text[:300]}"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("job_id", ODD)
def test_one_job_is_answered_about_with_what_is_wrong_with_it(shop: Shop, job_id: str, role: Role) -> None:
    put(shop, State.COMPLETED)
    shop.app.ports.ledger.add_log(job_id, "c", at=NOON, lines=["…" * 2_000])

    parts = ["", "/logs", "/progress", *(["/payload"] if role is Role.ADMIN else [])]
    for path in (f"/api/jobs/{job_id}{part}" for part in parts):
        answer = shop.api.as_(role).get(path)
        assert answer.status == 200, f"{path}: {answer.text[:200]}"
        json.loads(answer.text, parse_constant=pytest.fail)


def test_what_cant_be_shown_says_so(shop: Shop) -> None:
    put(shop, State.COMPLETED)

    assert "can't be shown" in shop.api.get("/api/jobs/huge").json["resultOmitted"]
    assert shop.api.get("/api/jobs/deep").json["resultOmitted"] == "can't be shown: nested too deeply"
    assert shop.api.get("/api/jobs/endless").json["result"] == {"a": ["NaN", "Infinity", "-Infinity", "1e999"]}
    assert shop.api.get("/api/jobs/unreadable").json["status"] == "unknown"
    assert "can't be read" in shop.api.get("/api/jobs/unreadable").json["error"]


def test_counts_and_the_dead_go_on(shop: Shop) -> None:
    put(shop, State.DEAD, **DEAD)

    assert sum(state_counts(shop.app.ports).by_lane.values()) == len(ODD) + 1
    dead = {one.job_id for one in DeadJobs(shop.app.ports).matching(DeadFilter())}
    assert dead >= {"ordinary", *ODD} - {"unreadable"}
    assert Cleaner(shop.app.ports).plan(Cleaning(state=State.DEAD, keep=0)).count >= len(ODD)


def test_the_reconciler_audits_past_them(shop: Shop) -> None:
    put(shop, State.QUEUED)
    shop.clock.advance(timedelta(days=6))

    done = Reconciler(shop.app.ports).tick()

    assert (done.audited, done.stranded, done.refused) == (len(ODD) + 1, len(ODD) + 1, ())


class _Tally:
    """Counts what was done."""

    done = 0

    def reach(self, done: int, *, percent: int) -> None:  # noqa: ARG002
        """Note how many are done."""
        self.done = done


def test_the_archive_holds_a_line_of_json_for_each(shop: Shop) -> None:
    put(shop, State.COMPLETED, sweep_at=NOON, held_by=ARCHIVE)
    archive = MemoryArchive()
    tally: Any = _Tally()

    Archiver(shop.app.ports, archive).run(tally)

    lines = [line for body in archive.objects.values() for line in gzip.decompress(body).decode().splitlines()]
    found = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert {one["jobId"] for one in found} >= {"ordinary", *ODD} - {"unreadable"}


def test_a_payload_that_is_no_object_is_one_masked_field() -> None:
    class Numbers(RootModel[list[int]]):
        pass

    assert masked("[1,2]", Numbers) == {"root": MASK}
    assert masked("null", None) == {"root": MASK}
    assert "can't be shown" in str(masked("{", None)["root"])


@pytest.mark.parametrize(
    "text", ["1" * 5_000, "[" * 100_000, "{", "", "nul", '{"a":' * 5_000, r'"\ud800"', r'["\uDFFF"]']
)
def test_any_text_is_read_or_said_to_be_unreadable(text: str) -> None:
    value, problem = as_values(text)

    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    assert value is None or problem is None


def test_a_result_that_could_never_be_read_is_not_kept_and_nan_is_kept_as_a_word(shop: Shop) -> None:
    assert of_value(10**5_000).omitted is not None
    assert of_value({"a": float("nan")}).result == '{"a":"NaN"}'

    family = Jobs(queue="odd")
    assert family.queue == "odd"
    shop.app.ports.ledger.put(replace(a_record(job_id="odd"), state=State.COMPLETED, ended_at=NOON, result="[1]"))
    with pytest.raises(JobFailedError, match="can't be read"):
        shop.app.result("odd", timeout=timedelta(0))


def test_the_command_prints_json_whatever_it_is_given() -> None:
    printed = io.StringIO()
    with redirect_stdout(printed):
        print_json({"a": [float("nan"), float("inf")], "b": "\ud800", "c": as_json(record_of("endless"))})

    assert json.loads(printed.getvalue(), parse_constant=pytest.fail)["a"] == [None, None]


def record_of(job_id: str) -> JobRecord:
    """Return an odd record."""
    return replace(a_record(job_id=job_id), **ODD[job_id])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("lane", one) for one in (True, False, 0, 6, 1.5, 10**400, "hihg")),
        *(("attempts", one) for one in (True, 0, 10**400, 1.5)),
        *(("delaySeconds", one) for one in (True, -1, 1e300, 10**400)),
        *(("timeoutSeconds", one) for one in (True, 0)),
        *(
            ("runAt", one)
            for one in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z")
        ),
        *(("startBy", one) for one in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", True, 10**30)),
    ],
)
def test_a_number_or_a_time_that_cant_be_meant_is_refused_by_its_name(shop: Shop, field: str, value: object) -> None:
    wanted = {"type": "user.greeting", "payload": {"name": "Bat"}, field: value}

    answer = shop.api.post("/api/jobs", wanted)

    assert answer.status in {400, 422}
    assert len(answer.text) < 2_000
    words = re.findall(r"[A-Z]?[a-z]+", field)
    assert any(word.lower() in answer.text.lower() for word in words)


@pytest.mark.parametrize("path", ["/api/jobs?limit={}", "/api/queues/email/jobs?start={}", "/api/jobs?cursor={}"])
@pytest.mark.parametrize("value", ["9" * 5_000, "NaN", "1e999", "true", "0001-01-01|x", "9999-12-31|x"])
def test_a_query_that_cant_be_meant_is_refused(shop: Shop, path: str, value: str) -> None:
    answer = shop.api.get(path.format(value))

    assert 400 <= answer.status < 500


@pytest.mark.parametrize("lane", [Lane.HIGH])
def test_a_lane_with_them_is_counted(shop: Shop, lane: Lane) -> None:
    put(shop, State.QUEUED)
    shop.enqueue()

    assert shop.app.inspector.counts_of(lane).waiting == 1
