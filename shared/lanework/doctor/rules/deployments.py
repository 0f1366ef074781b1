"""Rules about deployments that shift a function's alias to new code, and back at an alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, rule
from lanework.doctor.policies import is_allowed
from lanework.doctor.resources import callee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case
    from lanework.doctor.graph import Graph
    from lanework.doctor.resources import Alias, Function, Resource


@rule(why="a deployment would reach it at once and roll nothing back, or its call would be refused")
def aliases(case: Case) -> Iterator[Complaint]:
    """What calls a function that has an alias calls the alias, and may."""
    graph = case.graph
    for alias in graph.aliases:
        for one, called in _callers(graph, alias.function):
            if called != alias.name:
                yield Complaint.of(
                    one,
                    f"it calls {alias.function} itself, and deployments shift its alias {alias.name}",
                    f"the alias {alias.name} as what it calls, by an event of the function in the template",
                )
        function = graph.function(alias.function)
        if function is not None:
            yield from _refused(graph, function, alias)


def _refused(graph: Graph, function: Function, alias: Alias) -> Iterator[Complaint]:
    """Yield the roles that may call a function, and not its alias."""
    for role in graph.roles:
        of_both = (function.arn, f"{function.arn}:{alias.name}")
        may, may_alias = (is_allowed(role.statements, "lambda:InvokeFunction", one) for one in of_both)
        if may and not may_alias:
            yield Complaint.of(
                role,
                f"it may call {function.name}, and not its alias {alias.name}",
                f"Resource: !Sub ${{{function.id}.Arn}}:{alias.name}, beside !GetAtt {function.id}.Arn",
            )


def _callers(graph: Graph, function: str) -> Iterator[tuple[Resource, str | None]]:
    """Yield the mappings and schedules that call a function, with the alias that each calls."""
    yield from ((one, one.alias) for one in graph.feeds if one.function == function)
    for timer in graph.timers:
        name, alias = callee(timer.target)
        if name == function:
            yield timer, alias


@rule(why="new code that fails goes on to be shifted to, step by step, until all runs on it")
def rollbacks(case: Case) -> Iterator[Complaint]:
    """A deployment in steps has an alarm that takes it back."""
    for shift in case.graph.shifts.values():
        if not shift.config.endswith("AllAtOnce") and not shift.alarms:
            yield Complaint.of(
                shift,
                f"it shifts by {shift.config.rpartition('.')[2].removeprefix('Lambda')}, and no alarm stops it",
                "DeploymentPreference: Alarms: [the alarm on the function's errors]",
            )


RULES: Final = (aliases, rollbacks)
