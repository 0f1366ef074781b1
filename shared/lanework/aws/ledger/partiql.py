"""A `Change` as a PartiQL statement, of which one call takes many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, assert_never

from lanework.aws.ledger.item import JOB, pk_of, sweep_shard_of
from lanework.model.lifecycle.change import AttemptsLeft, DueBy, Equals, InStates, NotSet, WorthStarting

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition as Expression
    from pynamodb.expressions.update import Action

    from lanework.aws.ledger.item import JobItem
    from lanework.model.lifecycle.change import Change, Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """
    One write of a BatchExecuteStatement.

    Attributes:
        request: As boto takes it.
        is_narrower: It asks for more than the change does, so that its refusal needn't mean that the change is refused.
    """

    request: Any
    is_narrower: bool


def statement_of(change: Change, model: type[JobItem], job_id: str, table: str) -> Statement | None:
    """
    Return the statement that carries out a change; None for one that takes an attempt back.

    PartiQL is said to know sums and alternatives, yet not every endpoint has them, nor `if_not_exists`. A first start
    needs none of them: it finds no attempts and writes one. Any other start is refused by it, and then made singly.
    """
    if change.attempts < 0:
        return None
    said = _Said(model)
    for name, value in writes_of(change, job_id).items():
        said.write(name, value)
    for name, value in change.write_once.items():
        said.write(name, value)
        said.require_missing(name)
    if change.attempts:
        said.write("attempts", change.attempts)
        said.require("attempts", "=", 0)
    for condition in change.require:
        _require(said, condition)
    return Statement(
        request={
            "Statement": f'UPDATE "{table}" {said.writes} WHERE pk = ? AND sk = ? AND {said.conditions} '
            "RETURNING ALL NEW *",
            "Parameters": [*said.written, {"S": pk_of(job_id)}, {"S": JOB}, *said.required],
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
        is_narrower=bool(change.attempts or change.write_once)
        or any(isinstance(one, WorthStarting) for one in change.require),
    )


class _Said:
    """The parts of a statement, and their parameters."""

    def __init__(self, model: type[JobItem]) -> None:
        self._model = model
        self._writes: list[str] = []
        self._conditions: list[str] = []
        self.written: list[dict[str, Any]] = []
        self.required: list[dict[str, Any]] = []

    @property
    def writes(self) -> str:
        return " ".join(self._writes)

    @property
    def conditions(self) -> str:
        return " AND ".join(self._conditions)

    def write(self, name: str, value: object) -> None:
        if value is None:
            self._writes.append(f'REMOVE "{name}"')
        else:
            self._writes.append(f'SET "{name}" = ?')
            self.written.append(self._value(name, value))

    def require(self, name: str, comparison: str, value: object) -> None:
        self._conditions.append(f'"{name}" {comparison} ?')
        self.required.append(self._value(name, value))

    def require_one_of(self, name: str, values: list[Any]) -> None:
        self._conditions.append(f'"{name}" IN [{", ".join("?" * len(values))}]')
        self.required += [self._value(name, value) for value in values]

    def require_missing(self, name: str) -> None:
        self._conditions.append(f'"{name}" IS MISSING')

    def _value(self, name: str, value: object) -> dict[str, Any]:
        attribute = getattr(self._model, name)
        return {attribute.attr_type: attribute.serialize(value)}


def _require(said: _Said, condition: Condition) -> None:
    match condition:
        case Equals(name, None):
            said.require_missing(name)
        case Equals(name, value):
            said.require(name, "=", value)
        case InStates(states):
            said.require_one_of("state", sorted(states))
        case DueBy(moment):
            said.require("due_at", "<=", moment)
        case AttemptsLeft():
            pass  # none was begun, and a job is allowed one at least
        case WorthStarting():
            said.require_missing("start_by")
        case NotSet(name):
            said.require_missing(name)
        case unreachable:
            assert_never(unreachable)


def condition_of(change: Change, model: type[JobItem]) -> Expression:
    """Return what must hold of the stored item. Every change requires a state, so the item must exist."""
    return reduce(and_, (_one(condition, model) for condition in change.require))


def actions_of(change: Change, model: type[JobItem], job_id: str) -> list[Action]:
    actions = [_write(model, name, value) for name, value in writes_of(change, job_id).items()]
    for name, value in change.write_once.items():
        attribute: Any = getattr(model, name)
        actions.append(attribute.set(attribute | value))
    if change.attempts:
        attempts: Any = model.get_attributes()["attempts"]
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


def _one(condition: Condition, model: Any) -> Expression:  # noqa: ANN401 - a `JobItem`, whose attributes mypy can't know
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
