"""Events as structured log lines: a stable `action`, the job's id, and nothing of a payload but its public fields."""

from __future__ import annotations

import json
import logging
from typing import IO, TYPE_CHECKING, Final

from lanework.model.events import Action

if TYPE_CHECKING:
    from datetime import timedelta

    from aws_lambda_powertools import Logger as PowertoolsLogger

    from lanework.model.events import Event

_LEVELS: Final = {
    Action.JOB_ENQUEUED: logging.DEBUG,  # what the line of its end says, too; a line costs by the byte
    Action.JOB_STARTED: logging.DEBUG,
    Action.JOB_RETRYING: logging.WARNING,
    Action.JOB_NEEDS_WORKER: logging.ERROR,
    Action.JOB_SEND_DEFERRED: logging.WARNING,
    Action.JOB_RAN_INLINE: logging.WARNING,
    Action.RUN_WRITE_REFUSED: logging.WARNING,
    Action.RUN_CLAIM_FAILED: logging.ERROR,
    Action.RUN_WRITE_FAILED: logging.ERROR,
    Action.MESSAGE_UNDECODABLE: logging.ERROR,
    Action.MESSAGE_DELETE_FAILED: logging.ERROR,
    Action.MESSAGE_VISIBILITY_FAILED: logging.ERROR,
    Action.JOB_DEAD: logging.ERROR,
    Action.JOB_NOT_SENT: logging.ERROR,
    Action.RUN_ACCESS_DENIED: logging.ERROR,
    Action.WORKER_RECEIVE_FAILED: logging.ERROR,
    Action.WORKER_PROCESS_DIED: logging.ERROR,
    Action.WORKER_FAULT: logging.ERROR,
    Action.JOB_RETIRED: logging.DEBUG,
    Action.SCHEDULE_SKIPPED: logging.WARNING,
    Action.SCHEDULE_DEFERRED: logging.WARNING,
    Action.SCHEDULE_FAILED: logging.ERROR,
    Action.MESSAGE_DEFERRED: logging.DEBUG,
    Action.WORKER_INVOKED: logging.DEBUG,
    Action.ALERT_RAISED: logging.ERROR,
    Action.ALERT_DELIVERY_FAILED: logging.ERROR,
}


_LINE_OVERHEAD: Final = 115
"""Bytes of a line beside an event's fields: its level, message, time and service, as Powertools' logger writes them."""


def json_logger(stream: IO[str] | None = None) -> PowertoolsLogger:
    """
    Return a logger of JSON lines, at the level that the environment says; to standard output, or another stream.

    Their time has the form of RFC 3339: Lambda takes the level of a line with another one for INFO, so it would drop an
    error where only warnings are kept (Lambda, "Log-level filtering").
    """
    from aws_lambda_powertools import Logger  # noqa: PLC0415 - whoever needs no lines needn't wait for it

    return Logger(location=None, use_rfc3339=True, stream=stream)


def show_lines(stream: IO[str]) -> None:
    """Write what is logged here as JSON lines to a stream, as of a command of its own, unless it goes somewhere."""
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter  # noqa: PLC0415 - as above

    log = logging.getLogger("lanework")
    if not log.hasHandlers():
        handler = logging.StreamHandler(stream)
        handler.setFormatter(LambdaPowertoolsFormatter(use_rfc3339=True))
        log.addHandler(handler)


class LogSink:
    """Implements the `EventSink` port."""

    def __init__(self, log: logging.Logger | PowertoolsLogger) -> None:
        self._writers = {
            logging.DEBUG: log.debug,
            logging.INFO: log.info,
            logging.WARNING: log.warning,
            logging.ERROR: log.error,
        }

    def emit(self, event: Event) -> None:
        """Write one line: the message is the action, the rest are fields."""
        self._writers[level_of(event.action)](event.action.value, extra=fields_of(event))

    def flush(self) -> None:
        """Nothing waits: lines are written as they come."""


def level_of(action: Action) -> int:
    """Return at which level an event is logged, as `logging` numbers it."""
    return _LEVELS.get(action, logging.INFO)


def is_logged(event: Event) -> bool:
    """Tell whether an event makes a line at the usual level, INFO."""
    return level_of(event.action) >= logging.INFO


def line_bytes(event: Event) -> int:
    """Return how many bytes an event's line has, within a tenth; CloudWatch Logs charges for them."""
    return _LINE_OVERHEAD + len(json.dumps(fields_of(event), default=str, separators=(",", ":")))


def fields_of(event: Event) -> dict[str, object]:
    """
    Return an event's fields for a log line; what holds nothing is left out.

    Of an error only its type is logged: its text may quote a payload. The whole error is in the job's record.
    """
    fields: dict[str, object | None] = {
        "action": event.action.value,
        "job_id": event.job_id,
        "job_type": event.type,
        "correlation_id": event.correlation_id,
        "schedule": event.schedule,
        "queue": event.queue,
        "lane": event.lane,
        "attempt": event.attempt,
        "cause": event.cause,
        "error_type": event.error_type,
        "wait_s": _seconds(event.wait),
        "waited_s": _seconds(event.waited),
        "memory_mb": event.memory_mb,
        "ran_for_s": _seconds(event.ran_for),
        "reason": event.reason,
        "public": dict(event.public) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else round(time.total_seconds(), 3)
