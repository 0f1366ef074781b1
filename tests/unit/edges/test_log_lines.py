"""The lines of a worker's parent beside those of its children: one program reads both."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime

import pytest

from lanework.edges.process.log_lines import LogLines
from lanework.model.events import Action, Event
from lanework.observe.logs import LogSink, json_logger

REASON = 'process 7 was killed by SIGKILL; "дууссан"'


def test_a_line_is_what_the_logger_of_a_child_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "beside-a-child")  # loggers of one name share their stream
    stream = io.StringIO()
    log = json_logger(stream)
    LogSink(log).emit(Event(action=Action.WORKER_PROCESS_DIED, at=datetime.now(UTC), reason=REASON))
    theirs = json.loads(stream.getvalue())

    at = datetime.fromisoformat(theirs["timestamp"])
    line = LogLines(service=log.service, level=log.log_level).line(
        Action.WORKER_PROCESS_DIED, REASON, level=logging.ERROR, at=at
    )

    assert line + "\n" == stream.getvalue()


@pytest.mark.parametrize(("level", "lines"), [(logging.INFO, 2), (logging.WARNING, 1), (logging.CRITICAL, 0)])
def test_a_level_that_is_not_wanted_is_not_written(level: int, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    log = LogLines(service="shop", level=level)
    log.write(Action.WORKER_PROCESS_RENEWED, "process 7")
    log.write(Action.WORKER_PROCESS_DIED, "process 7")

    assert len(capsys.readouterr().out.splitlines()) == lines
