from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from bench.at_scale import LOG_BYTES
from lanework import App, Jobs
from lanework.model.events import Action, Event
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause
from lanework.observe.logs import LogSink, fields_of, json_logger, line_bytes
from lanework.testing import NOON, Clock, app_in_memory, drain

if TYPE_CHECKING:
    from _pytest.logging import LogCaptureFixture


class SignIn(BaseModel):
    user_id: str


DEAD = Event(
    action=Action.JOB_DEAD,
    at=NOON,
    job_id="job-1",
    type="user.greeting",
    queue="email",
    lane=Lane.HIGH,
    attempt=3,
    cause=Cause.EXHAUSTED,
    error="no mailbox bat@example.com: refused",
    error_type="SMTPRecipientsRefused",
    ran_for=timedelta(milliseconds=1500),
    public={"provider": "github"},
)


def test_a_line_has_a_stable_action_and_the_jobs_ids() -> None:
    assert fields_of(DEAD) == {
        "action": "job.dead",
        "job_id": "job-1",
        "job_type": "user.greeting",
        "queue": "email",
        "lane": "high",
        "attempt": 3,
        "cause": "exhausted",
        "error_type": "SMTPRecipientsRefused",
        "ran_for_s": 1.5,
        "public": {"provider": "github"},
    }


@pytest.mark.parametrize(
    ("action", "level"),
    [
        (Action.JOB_ENQUEUED, "DEBUG"),
        (Action.JOB_STARTED, "DEBUG"),
        (Action.JOB_COMPLETED, "INFO"),
        (Action.JOB_RETRYING, "WARNING"),
        (Action.JOB_DEAD, "ERROR"),
        (Action.MESSAGE_DEFERRED, "DEBUG"),
    ],
)
def test_a_line_is_as_loud_as_what_happened(action: Action, level: str, caplog: LogCaptureFixture) -> None:
    log = logging.getLogger("lanework.test")
    with caplog.at_level(logging.DEBUG, logger="lanework.test"):
        LogSink(log).emit(Event(action=action, at=NOON))

    assert [(level, action.value)] == [(record.levelname, record.message) for record in caplog.records]


def test_a_lines_time_and_level_are_such_that_lambda_keeps_an_error_where_it_keeps_warnings_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "a-logger-of-this-test")  # loggers of one name share their stream
    written = StringIO()
    LogSink(json_logger(written)).emit(DEAD)

    line = json.loads(written.getvalue())
    assert line["level"] == "ERROR"
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None
    assert "T" in line["timestamp"], "RFC 3339, or Lambda takes the level for INFO"
    assert "," not in line["timestamp"]


def test_a_plain_job_costs_one_line_of_300_bytes_with_its_wait_and_its_run_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "lanework-live")
    written, clock, email = StringIO(), Clock(), Jobs(queue="email")

    @email.job("user.signin.notification", lane="high")
    def notify(_: SignIn) -> None:
        clock.advance(timedelta(milliseconds=100.4))

    app = app_in_memory(App(email), clock)
    app.runtime.observe(LogSink(json_logger(written)))
    notify.enqueue(SignIn(user_id="bat"), job_id="01KB9V6M5T8Z0Y4Q2N7R3W1XCF")
    clock.advance(timedelta(milliseconds=123.4))
    drain(app)

    (text,) = written.getvalue().splitlines()
    line = json.loads(text)
    assert (line["action"], line["attempt"], line["waited_s"], line["ran_for_s"]) == ("job.completed", 1, 0.123, 0.1)
    assert LOG_BYTES * 0.9 < len(f"{text}\n".encode()) <= LOG_BYTES == 300


def test_the_bytes_that_costs_are_estimated_by_are_those_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "lanework-test")
    written = StringIO()
    LogSink(json_logger(written)).emit(DEAD)

    assert line_bytes(DEAD) == pytest.approx(len(written.getvalue().encode()), rel=0.1)
