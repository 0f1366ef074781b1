"""A `Change` as a PartiQL statement, of which one call takes many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from lanework.aws.expressions import writes_of
from lanework.aws.items import JOB, pk_of
from lanework.model.lifecycle.change import AttemptsLeft, DueBy, Equals, InStates, NotSet, WorthStarting

if TYPE_CHECKING:
    from lanework.aws.items import JobItem
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
