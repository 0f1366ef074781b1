"""What a job that waits for others does once it is known how they stand. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal

from lanework.errors import InvalidOptionError, did_you_mean, is_a, shown
from lanework.model.job.envelope import LARGEST_PAYLOAD
from lanework.model.lanes import QUEUE_RETENTION
from lanework.model.lifecycle import dependency_moves
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from lanework.model.lifecycle.change import Change
    from lanework.model.lifecycle.states import JobRecord

OnFailureName = Literal["wait", "cancel", "run", "die"]

WHOLE: Final = "*"
"""`takes`, where the other job's result is the payload and not one field of it."""


class OnFailure(StrEnum):
    """
    What a dead or cancelled parent does to a job that waits for it.

    `wait`: it waits on while the parent is dead, since a redrive may complete it, and is cancelled once that can't be.
    `cancel`: it is cancelled. `run`: it runs all the same. `die`: it is dead, cause `parent_failed`.
    """

    WAIT = "wait"
    CANCEL = "cancel"
    RUN = "run"
    DIE = "die"


class ParentStatus(StrEnum):
    """
    How what a job waits for stands.

    `open`: it may yet happen. `done`: it has happened. `failed`: it has not, and only a redrive can bring it about.
    `over`: it will never happen. `gone`: nothing is known of it.
    """

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    OVER = "over"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """
    What is known of a parent: how it stands, JSON text of what it returned or that it `is_omitted`.

    Attributes:
        says: How it ended: its error's type. The text may quote its payload, and others read what is said of its child.
    """

    status: ParentStatus
    result: str | None = None
    is_omitted: bool = False
    says: str = ""


UNKNOWN: Final = Fact(status=ParentStatus.OPEN)
GONE: Final = Fact(status=ParentStatus.GONE, says="its record has expired")

_STATUSES: Final = {
    State.COMPLETED: ParentStatus.DONE,
    State.DEAD: ParentStatus.FAILED,
    State.CANCELLED: ParentStatus.OVER,
}


def fact_of(parent: JobRecord) -> Fact:
    """Return what a job's record says to those that wait for it."""
    status = _STATUSES.get(parent.state, ParentStatus.OPEN)
    return Fact(
        status=status,
        result=parent.result,
        is_omitted=parent.result_omitted is not None,
        says=parent.error_type or parent.cause or parent.state,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a waiting job is looked at, what starts later than `near` is left to the sweep, and when an end expires."""

    now: datetime
    look_ahead: timedelta
    expires_at: datetime


def step_of(child: JobRecord, facts: Mapping[str, Fact], at: Moment) -> Change | None:
    """Return what becomes of a waiting job; None if nothing changes. A parent without a fact is taken for open."""
    known = {parent: _seen(facts.get(parent, UNKNOWN), child, at.now) for parent in child.open_parents}
    failed = {one: fact for one, fact in known.items() if fact.status in (ParentStatus.FAILED, ParentStatus.OVER)}
    policy = OnFailure(child.on_failure or OnFailure.WAIT)
    if failed and policy is not OnFailure.RUN:
        ending = _ending(child, failed, policy, at)
        if ending is not None:
            return ending
    done = {one for one, fact in known.items() if fact.status is ParentStatus.DONE}
    left = tuple(
        one for one in child.open_parents if one not in done and (policy is not OnFailure.RUN or one not in failed)
    )
    if left:
        return None if left == child.open_parents else dependency_moves.wait_for_fewer(child, left=left)
    return _start(child, facts, at)


def _seen(fact: Fact, child: JobRecord, now: datetime) -> Fact:
    """
    Take what is gone for over, unless it may not be recorded yet.

    A parent has to exist when a job is enqueued that waits for it; its record outlives its end by more than a week.
    """
    if fact.status is not ParentStatus.GONE:
        return fact
    is_old = now - child.created_at > QUEUE_RETENTION
    return Fact(status=ParentStatus.OVER if is_old else ParentStatus.OPEN, says=fact.says)


def _ending(child: JobRecord, failed: Mapping[str, Fact], policy: OnFailure, at: Moment) -> Change | None:
    parent, fact = next(iter(failed.items()))
    if policy is OnFailure.DIE:
        return dependency_moves.die_of_parent(
            child, parent=parent, says=fact.says, now=at.now, expires_at=at.expires_at
        )
    is_over = any(one.status is ParentStatus.OVER for one in failed.values())
    if policy is OnFailure.CANCEL or is_over:
        return dependency_moves.cancel_blocked(child, now=at.now, expires_at=at.expires_at)
    return None


def _start(child: JobRecord, facts: Mapping[str, Fact], at: Moment) -> Change:
    payload: str | None = None
    if child.takes is not None and child.after:
        fact = facts.get(child.after[0], UNKNOWN)
        if fact.status is ParentStatus.DONE:
            problem, payload = _handed_on(child, fact)
            if problem is not None:
                return dependency_moves.die_of_input(child, problem=problem, now=at.now, expires_at=at.expires_at)
    return dependency_moves.unblock(child, now=at.now, look_ahead=at.look_ahead, payload=payload)


def _handed_on(child: JobRecord, fact: Fact) -> tuple[str, None] | tuple[None, str]:
    """Return what is wrong with a result, or the payload that it makes."""
    try:
        return _with_result(child, fact)
    except (ValueError, TypeError, RecursionError) as error:  # either is no JSON, or none that a payload may be
        why = type(error).__name__
        return f"no payload can be made of its own and the result of {child.after[0]!r}: {why}", None


def _with_result(child: JobRecord, fact: Fact) -> tuple[str, None] | tuple[None, str]:
    parent = child.after[0]
    if fact.is_omitted:
        return f"takes the result of {parent!r}, which was not kept", None
    given: dict[str, Any] = json.loads(child.payload or "{}")
    result: Any = None if fact.result is None else json.loads(fact.result)
    if child.takes == WHOLE and not isinstance(result, dict):
        kind = type(result).__name__
        return f"takes the result of {parent!r} for its payload, which is no object but {kind}: name a field", None
    fields = {**result, **given} if child.takes == WHOLE else {**given, str(child.takes): result}
    payload = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    if len(payload.encode()) > LARGEST_PAYLOAD:
        return f"with the result of {parent!r} its payload is over {LARGEST_PAYLOAD:,} bytes", None
    return None, payload


def checked_takes(takes: str, fields: Mapping[str, object], job_type: str) -> str:
    """Return the field that a result goes into, or `WHOLE`; InvalidOptionError if the payload has no such field."""
    if is_a(takes, str) and (takes == WHOLE or takes in fields):
        return takes
    msg = f"takes={shown(takes)} names no field of {job_type}'s payload{did_you_mean(takes, fields)}"
    raise InvalidOptionError(msg)
