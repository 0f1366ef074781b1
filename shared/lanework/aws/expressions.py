"""A `Change` as DynamoDB's update and condition expressions."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, assert_never

from lanework.aws.items import sweep_shard_of
from lanework.model.change import AttemptsLeft, DueBy, Equals, InStates, NotSet

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition as Expression
    from pynamodb.expressions.update import Action

    from lanework.aws.items import JobItem
    from lanework.model.change import Change, Condition


def condition_of(change: Change, model: type[JobItem]) -> Expression:
    """Return what must hold of the stored item. Every change requires a state, so the item must exist."""
    return reduce(and_, (_one(condition, model) for condition in change.require))


def actions_of(change: Change, model: type[JobItem], job_id: str) -> list[Action]:
    """Return what is written; the sweep entry's partition goes with its time."""
    actions = [_write(model, name, value) for name, value in change.write.items()]
    if "sweep_at" in change.write:
        is_set = change.write["sweep_at"] is not None
        where = {"state": change.write.get("state"), "held_by": change.write.get("held_by")}
        shard = sweep_shard_of(job_id, **where) if is_set else None
        actions.append(_write(model, "sweep_shard", shard))
    for name, value in change.write_once.items():
        attribute: Any = getattr(model, name)
        actions.append(attribute.set(attribute | value))
    if change.attempts:
        attempts: Any = model.attempts
        actions.append(attempts.set(attempts + change.attempts))
    return actions


def _one(condition: Condition, model: type[JobItem]) -> Expression:
    found: Expression
    match condition:
        case Equals(name, value):
            found = getattr(model, name) == value
        case InStates(states):
            found = model.state.is_in(*sorted(states))
        case DueBy(moment):
            found = model.due_at <= moment
        case AttemptsLeft():
            found = model.attempts < model.max_attempts
        case NotSet(name):
            found = getattr(model, name).does_not_exist()
        case unreachable:
            assert_never(unreachable)
    return found


def _write(model: type[JobItem], name: str, value: object) -> Action:
    """Set a field; nothing and false are kept as absence, so that `NotSet` is one check."""
    attribute: Any = getattr(model, name)
    action: Action = attribute.remove() if value is None or value is False else attribute.set(value)
    return action
