"""Records and messages that show only the fact under test."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle.run_moves import new_record
from lanework.model.lifecycle.states import JobRecord
from lanework.testing import NOON

LEASE = timedelta(seconds=35)


def a_message(**facts: Any) -> Envelope:
    """Return a message of an ordinary job that was enqueued at noon."""
    ordinary: dict[str, Any] = {
        "id": "job-1",
        "type": "user.greeting",
        "queue": "email",
        "lane": Lane.HIGH,
        "payload": '{"name":"Bat"}',
        "attempts": 3,
        "backoff": timedelta(seconds=2),
        "created_at": NOON,
    }
    return Envelope(**(ordinary | facts))


def a_record(**facts: Any) -> JobRecord:
    """Return the record of an ordinary job that was enqueued at noon."""
    message = a_message(**{"id": facts.pop("job_id")} if "job_id" in facts else {})
    return replace(new_record(message), **facts)
