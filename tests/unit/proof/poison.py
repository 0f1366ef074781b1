"""Records that the sweep and the reconciler find and can't handle: they must stop nobody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lanework.model.job.envelope import LARGEST_PAYLOAD
from lanework.model.lanes import Lane
from lanework.model.lifecycle.dependency_moves import BLOCKED, NOTIFICATION_PENDING
from lanework.model.lifecycle.states import JobRecord, State
from tests.support.factories import a_record

REFUSED = "poison-refused"
"""How the ids of jobs begin whose messages SQS refuses."""

_UNREADABLE: dict[str, Any] = {"state": State.UNKNOWN, "damage": "state: 'frozen' is not a valid State"}

POISONS: dict[str, dict[str, Any]] = {
    "refused": {"job_id": f"{REFUSED}-1"},
    "no message can say it": {"job_id": "poison-large", "payload": "x" * (LARGEST_PAYLOAD + 1)},
    "unreadable": {"job_id": "poison-unreadable", **_UNREADABLE},
    "unreadable and paused": {"job_id": "poison-paused", "held_by": "queue:proof", **_UNREADABLE},
    "unreadable, at a limit": {"job_id": "poison-limited", "held_by": "concurrency:type:proof.one", **_UNREADABLE},
    "unreadable and blocked": {"job_id": "poison-blocked", "held_by": BLOCKED, **_UNREADABLE},
    "unreadable and untold": {"job_id": "poison-untold", "held_by": NOTIFICATION_PENDING, **_UNREADABLE},
}


def poisoned(kind: str, *, lane: Lane, now: datetime) -> JobRecord:
    """Return a record of a kind, which the next tick finds before all others."""
    facts = {"type": "proof.one", "queue": "proof", "lane": lane, "created_at": now, "run_at": now}
    return replace(a_record(), **{**facts, "sweep_at": now - timedelta(hours=2), **POISONS[kind]})
