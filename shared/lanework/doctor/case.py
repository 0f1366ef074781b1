"""What a rule looks at, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lanework.doctor.graph import Graph
    from lanework.doctor.resources import Resource
    from lanework.model.lanes import Lane
    from lanework.model.schedule.schedule import Schedule

    Look = Callable[["Case"], Iterable["Complaint"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """
    What an application's code says.

    Attributes:
        attempts: Most attempts of each job type.
        schedules: Those that job types declare.
        lanes: The lane of each job type of the application.
        batches: Of lanes with batch functions that Lambda may run, the size of the largest.
    """

    attempts: Mapping[str, int]
    schedules: tuple[Schedule, ...]
    lanes: Mapping[str, Lane] = field(default_factory=dict)
    batches: Mapping[Lane, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """
    A look that was refused.

    Attributes:
        action: What is not allowed, such as `sqs:GetQueueAttributes`.
        on: On what.
    """

    action: str
    on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """
    What only a live stack shows.

    Attributes:
        skew: How far this machine's clock is ahead of AWS's; negative: behind.
        refusals: What could not be looked at.
        unknown_types: Job types that no code here has, and how many jobs of each wait or died of it.
        taken: Ids of Lanework's own that were found within a day to be another's job's, and of which type that is.
        unsent: Lanes that are empty, and how many of the newest jobs are queued in them: recorded, and never sent.
        changed_files: Files of the layer that differ from those here; None: could not be compared.
        intended: What the template here would make of the stack; None: there is no template.
    """

    skew: timedelta = timedelta(0)
    refusals: tuple[Refusal, ...] = ()
    unknown_types: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    unsent: Mapping[str, int] = field(default_factory=dict)
    changed_files: tuple[str, ...] | None = None
    intended: Graph | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    A stack, as a template or live.

    Attributes:
        graph: What it is made of.
        code: What the code here says; None: there is none.
        live: What only a live stack shows; of a template, nothing.
    """

    graph: Graph
    code: Code | None = None
    live: Live = field(default_factory=Live)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """
    What is wrong with one thing.

    Attributes:
        about: Its id.
        what: What is wrong with it.
        todo: What to write or type.
    """

    about: str
    what: str
    todo: str

    @classmethod
    def of(cls, one: Resource, what: str, change: str) -> Complaint:
        """Return what is wrong with a resource; `change` is what to write below its id in the template."""
        return cls(about=one.id, what=what, todo=f"{one.id}: {change}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    What must hold for a stack.

    Attributes:
        name: Stable, for scripts.
        demands: What must hold, in a sentence.
        why: What happens if it doesn't.
        look: Finds where it doesn't.
    """

    name: str
    demands: str
    why: str
    look: Look


def rule(*, why: str) -> Callable[[Look], Rule]:
    """Make a rule of the function that looks for breaches: it has its name, and its docstring says what must hold."""

    def make(look: Look) -> Rule:
        demands = " ".join((look.__doc__ or "").split())
        return Rule(name=look.__name__.replace("_", "-"), demands=demands, why=why, look=look)

    return make


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A complaint, with the rule that it comes from."""

    rule: str
    about: str
    what: str
    why: str
    todo: str


def examine(case: Case, rules: Iterable[Rule]) -> list[Finding]:
    """Return all that these rules find."""
    return [
        Finding(rule=rule.name, about=one.about, what=one.what, why=rule.why, todo=one.todo)
        for rule in rules
        for one in rule.look(case)
    ]
