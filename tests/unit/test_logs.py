from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from lanework.model.events import Action, Event
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause
from lanework.observe.logs import LogSink, fields_of, json_logger
from lanework.testing import NOON

if TYPE_CHECKING:
    from _pytest.logging import LogCaptureFixture

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
