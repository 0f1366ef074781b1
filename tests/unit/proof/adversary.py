"""Everything that can go wrong between the engine and its ports, one trouble for each step of the proof."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from lanework.engine.ports.ledger import UnavailableOne
from lanework.engine.ports.messages import Unsent
from lanework.errors import UnavailableError, UnsendableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from lanework.engine.ports.messages import OutgoingMessage
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import JobRecord
    from lanework.model.workflow.shard import Shard

T = TypeVar("T")
Service = Literal["sqs", "dynamodb"]


MOST_CALLS = 500
"""Of one step; the longest honest ones take a few dozen."""


class CrashError(BaseException):
    """Raised where a process ends: nothing after it happens, and nobody may catch it."""


class Kind(StrEnum):
    """What goes wrong at a port call. The last three last until the step ends."""

    NOTHING = "nothing"
    CRASH_BEFORE = "crash before it took effect"
    CRASH_AFTER = "crash after it took effect"
    REFUSED = "refused"
    LOST = "took effect, answer lost"
    REPEATED = "took effect, answer lost, and the client repeats the call"
    MEANWHILE = "something else happens first"
    SQS_DOWN = "SQS is down from here on"
    LEDGER_DOWN = "DynamoDB is down from here on"
    ALL_DOWN = "both are down from here on"


SEES_ITSELF = frozenset({"put", "put_guarded", "change_and_keep", "keep_for", "write", "remove", "move_bookmark"})
"""
Writes whose own first try the adapters on DynamoDB tell from another's by what the client says of its tries; memory has
no such client. tests/contract/test_lost_answers.py shows that they do.
"""

_LASTING: dict[Kind, set[Service]] = {
    Kind.SQS_DOWN: {"sqs"},
    Kind.LEDGER_DOWN: {"dynamodb"},
    Kind.ALL_DOWN: {"sqs", "dynamodb"},
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    What goes wrong in one step.

    Attributes:
        kind: What.
        at: At which port call of the step, from 1.
        meanwhile: What happens before that call, for `Kind.MEANWHILE`.
    """

    kind: Kind = Kind.NOTHING
    at: int = 1
    meanwhile: tuple[str, ...] = ()


@dataclass(slots=True)
class Adversary:
    """
    Stands at every port call.

    Attributes:
        interfere: Does one thing of a trouble's `meanwhile`.
    """

    interfere: Callable[[str], None]
    _trouble: Trouble = field(default_factory=Trouble)
    _calls: int = 0
    _down: set[Service] = field(default_factory=set)

    def plan(self, trouble: Trouble) -> None:
        """Begin a step."""
        self._trouble, self._calls, self._down = trouble, 0, set()

    def rest(self) -> None:
        """End a step: what was down is up again."""
        self.plan(Trouble())

    def recover(self) -> None:
        """Let what is down come back before the step is over."""
        self._down = set()

    def stand_at(self, service: Service, call: Callable[[], T], *, may_repeat: bool = True) -> T:
        """Do a port call, or one write of a call that takes several, unless the trouble says otherwise."""
        self._calls += 1
        assert self._calls < MOST_CALLS, "a step that never ends"
        kind = self._trouble.kind if self._calls == self._trouble.at else Kind.NOTHING
        if kind is Kind.CRASH_BEFORE:
            raise CrashError
        if kind is Kind.MEANWHILE:
            for one in self._trouble.meanwhile:
                self.interfere(one)
        self._down |= _LASTING.get(kind, set())
        if kind is Kind.REFUSED or service in self._down:
            raise UnavailableError(service)
        answer = call()
        if kind is Kind.REPEATED and may_repeat:
            answer = call()
        if kind is Kind.CRASH_AFTER:
            raise CrashError
        if kind is Kind.LOST:
            raise UnavailableError(service)
        return answer


class Beset:
    """A port with the adversary before each of its calls."""

    def __init__(self, port: Any, service: Service, adversary: Adversary) -> None:
        self._port = port
        self._service = service
        self._adversary = adversary

    def __getattr__(self, name: str) -> Callable[..., Any]:
        behind = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            may_repeat = name not in SEES_ITSELF
            return self._adversary.stand_at(self._service, lambda: behind(*args, **kwargs), may_repeat=may_repeat)

        return call


class BesetWorkflows(Beset):
    """Workflows, where each of many writes may fail by itself."""

    def add_children(self, edges: Sequence[tuple[str, str]]) -> None:
        for edge in edges:
            self._adversary.stand_at(self._service, partial(self._port.add_children, [edge]))

    def make_shards(self, shards: Sequence[tuple[Shard, Sequence[str]]]) -> None:
        for shard in shards:
            self._adversary.stand_at(self._service, partial(self._port.make_shards, [shard]))


class BesetLedger(Beset):
    """A ledger, where each put of many may fail by itself, as statements of a batch do."""

    def put_many(self, records: Sequence[JobRecord]) -> list[JobRecord | UnavailableOne | None]:
        answers: list[JobRecord | UnavailableOne | None] = []
        for record in records:
            try:
                answers.append(self.put(record))
            except UnavailableError as error:
                answers.append(UnavailableOne(str(error)))
        return answers


class BesetLanes(Beset):
    """Lanes, where each entry of many may fail by itself, and where some calls never raise."""

    def send_many(self, lane: Lane, sendings: Sequence[OutgoingMessage]) -> dict[int, Unsent]:
        failed: dict[int, Unsent] = {}
        for index, sending in enumerate(sendings):
            try:
                self.send(lane, sending)
            except (UnavailableError, UnsendableError) as error:
                failed[index] = Unsent(error)
        return failed

    def change_visibility(self, lane: Lane, handle: str, after: timedelta) -> None:
        self._quietly(lambda: self._port.change_visibility(lane, handle, after))

    def delete(self, lane: Lane, handle: str) -> None:
        """What Lambda does with a message that its function didn't report; some time later, so SQS may be back."""
        self._adversary.recover()
        self._quietly(lambda: self._port.delete(lane, handle))

    def _quietly(self, call: Callable[[], None]) -> None:
        with suppress(UnavailableError):
            self._adversary.stand_at(self._service, call)
