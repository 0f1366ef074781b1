"""A `Change` as DynamoDB's update and condition expressions."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, assert_never

from lanework.aws.items import sweep_shard_of
from lanework.model.lifecycle.change import AttemptsLeft, DueBy, Equals, InStates, NotSet, WorthStarting

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition as Expression
    from pynamodb.expressions.update import Action

    from lanework.aws.items import JobItem
    from lanework.model.lifecycle.change import Change, Condition


def condition_of(change: Change, model: type[JobItem]) -> Expression:
    """Return what must hold of the stored item. Every change requires a state, so the item must exist."""
    return reduce(and_, (_one(condition, model) for condition in change.require))


def actions_of(change: Change, model: type[JobItem], job_id: str) -> list[Action]:
    """Return what is written."""
    actions = [_write(model, name, value) for name, value in writes_of(change, job_id).items()]
    for name, value in change.write_once.items():
        attribute: Any = getattr(model, name)
        actions.append(attribute.set(attribute | value))
    if change.attempts:
        attempts: Any = model.attempts
        actions.append(attempts.set(attempts + change.attempts))
    return actions


def writes_of(change: Change, job_id: str) -> dict[str, object]:
    """
    Return the plainly written fields, None for one that is removed.

    The sweep entry's partition goes with its time, and a retired job's place in lists. Nothing, false and no failures
    are kept as absence, so that `NotSet` is one check.
    """
    writes = dict(change.write)
    if "sweep_at" in change.write:
        is_set = change.write["sweep_at"] is not None
        where: dict[str, Any] = {"state": change.write.get("state"), "held_by": change.write.get("held_by")}
        writes["sweep_shard"] = sweep_shard_of(job_id, **where) if is_set else None
    if change.write.get("retired"):
        writes |= {"recent_shard": None, "recent_key": None}
    return {name: None if value is False or value == () else value for name, value in writes.items()}


def _one(condition: Condition, model: type[JobItem]) -> Expression:
    found: Expression
    match condition:
        case Equals(name, None):
            found = getattr(model, name).does_not_exist()
        case Equals(name, value):
            found = getattr(model, name) == value
        case InStates(states):
            found = model.state.is_in(*sorted(states))
        case DueBy(moment):
            found = model.due_at <= moment
        case AttemptsLeft():
            found = model.attempts < model.max_attempts
        case WorthStarting(moment):
            found = model.start_by.does_not_exist() | (model.start_by > moment) | model.first_started_at.exists()
        case NotSet(name):
            found = getattr(model, name).does_not_exist()
        case unreachable:
            assert_never(unreachable)
    return found


def _write(model: type[JobItem], name: str, value: object) -> Action:
    attribute: Any = getattr(model, name)
    action: Action = attribute.remove() if value is None else attribute.set(value)
    return action
