"""Records that the sweep and the reconciler find and can't handle: they must stop nobody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lanework.model.job.envelope import LARGEST_PAYLOAD
from lanework.model.lanes import Lane
from lanework.model.lifecycle.dependency_moves import BLOCKED, NOTIFICATION_PENDING
from lanework.model.lifecycle.states import Cause, JobRecord, State
from tests.support.factories import a_record

REFUSED = "poison-refused"
"""How the ids of jobs begin whose messages SQS refuses."""

_UNREADABLE: dict[str, Any] = {"state": State.UNKNOWN, "damage": "state: 'frozen' is not a valid State"}
_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)

_ODD: dict[str, dict[str, Any]] = {
    "refused": {},
    "large": {"payload": "x" * (LARGEST_PAYLOAD + 1)},
    "unreadable": _UNREADABLE,
    "nobody's type": {"type": "proof.gone"},
    "nobody's lane": {"lane": Lane.BATCH},
    "no attempts": {"max_attempts": 0},
    "no version": {"version": 0},
    "no life": {"life": 0},
    "no payload": {"payload": None},
    "no JSON": {"payload": "{"},
    "headers": {"headers": (("trace", 1),)},
    "first day": {"created_at": _FIRST, "run_at": _FIRST, "due_at": _FIRST},
    "last day": {"run_at": _LAST, "due_at": _LAST},
    "no wait": {"backoff_base": timedelta(days=-1)},
}
"""What of a record is odd."""

_LIMIT: Final = "concurrency:type:proof.one"
_PLACES: dict[str, dict[str, Any]] = {
    "due": {},
    "paused": {"held_by": "queue:proof"},
    "at a limit": {"state": State.PARKED, "held_by": _LIMIT},
    "blocked": {
        "state": State.BLOCKED,
        "held_by": BLOCKED,
        "after": ("a",),
        "open_parents": ("a",),
        "on_failure": "run",
        "due_at": None,
    },
    "crashed": {"state": State.RUNNING, "claim_id": "gone", "attempts": 1},
    "untold": {
        "state": State.DEAD,
        "held_by": NOTIFICATION_PENDING,
        "due_at": None,
        "cause": Cause.EXHAUSTED,
        "error": "OSError: no",
    },
}
"""Where the ticks find it."""

POISONS: dict[str, dict[str, Any]] = {
    f"{odd}, {place}": {**where, **what} for odd, what in _ODD.items() for place, where in _PLACES.items()
} | {
    "later release's policy": {**_PLACES["blocked"], "on_failure": "later-release"},
    "takes into no JSON": {**_PLACES["blocked"], "takes": "nonce", "payload": "{"},
}


def poisoned(kind: str, *, lane: Lane, now: datetime) -> JobRecord:
    """Return a record of a kind, which the next tick finds before all others."""
    job_id = f"{REFUSED if kind.startswith('refused') else 'poison'}-{kind}".replace(" ", "-").replace(",", "")
    facts = {"type": "proof.one", "queue": "proof", "lane": lane, "created_at": now, "run_at": now}
    return replace(
        a_record(job_id=job_id.replace("'", "")), **{**facts, "sweep_at": now - timedelta(hours=2), **POISONS[kind]}
    )
