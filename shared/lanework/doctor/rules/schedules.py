"""Rules about EventBridge's schedules."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, rule
from lanework.doctor.resources import callee
from lanework.errors import InvalidOptionError, did_you_mean
from lanework.model.schedule.cron import cron_of
from lanework.model.schedule.schedule import input_of
from lanework.model.schedule.timetable import zone_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case
    from lanework.doctor.graph import Graph
    from lanework.doctor.resources import Timer
    from lanework.model.schedule.schedule import Schedule

_RATE: Final = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?:[2-9]|[1-9]\d+) (?:minutes|hours|days))\)")


@rule(why="the deployment fails, or a schedule fires at the wrong time")
def schedule_expressions(case: Case) -> Iterator[Complaint]:
    """Schedules have expressions and time zones that EventBridge reads."""
    for timer in case.graph.timers:
        problem = _problem_of(timer)
        if problem is not None:
            yield Complaint.of(
                timer, problem, "ScheduleExpression: such as cron(0 2 * * ? *), rate(1 minute) or rate(5 minutes)"
            )


def _problem_of(timer: Timer) -> str | None:
    text = timer.expression
    try:
        zone_of(timer.timezone)
        if text.startswith("cron("):
            cron_of(text)
            return None
        if text.startswith("at("):
            datetime.fromisoformat(text[3:-1])
            return None
    except (InvalidOptionError, ValueError) as error:
        return str(error)
    return None if _RATE.fullmatch(text) else f"{text!r} is no expression that EventBridge reads"


@rule(why="delayed and parked jobs are never sent, and missed schedules are not made up for")
def clock(case: Case) -> Iterator[Complaint]:
    """A schedule of one minute calls the clock function."""
    name, tick = f"{case.graph.stack}-tick", case.graph.tick
    todo = f"a schedule {name} with ScheduleExpression: rate(1 minute), State: ENABLED, that calls the clock function"
    if tick is None or case.graph.clock is None:
        yield Complaint(about="Clock", what=f"no schedule {name} calls a function of this stack", todo=todo)
    elif tick.expression != "rate(1 minute)" or not tick.is_on:
        state = "" if tick.is_on else ", disabled"
        yield Complaint(about=tick.id, what=f"it is {tick.expression}{state}", todo=todo)


@rule(why="a job starts up to a minute late, or at a time that is no longer declared")
def schedules(case: Case) -> Iterator[Complaint]:
    """EventBridge has the schedules that job types declare, as they declare them, and no others."""
    if case.code is None:
        return
    found = {name: timer for timer in case.graph.timers if (name := _schedule_of(timer)) is not None}
    wanted = {one.name: one for one in case.code.schedules}
    for name, schedule in wanted.items():
        for line in _differences(schedule, found.get(name), case.graph):
            yield Complaint(about=name, what=line, todo="lanework check --write")
    for name in found:
        if name not in wanted:
            hint = did_you_mean(name, wanted) or "; remove it from the template"
            yield Complaint(
                about=name,
                what=f"no job type declares it{hint}",
                todo="remove it from template.yaml, or name it after its job type",
            )


def _differences(schedule: Schedule, timer: Timer | None, graph: Graph) -> list[str]:
    if timer is None:
        return ["the template doesn't have it"]
    expression = schedule.timetable.expression_for_eventbridge()
    clock = graph.clock
    rows = [
        ("Name", timer.name, schedule.name),
        ("ScheduleExpression", timer.expression, expression.text),
        ("ScheduleExpressionTimezone", timer.timezone, expression.timezone),
        ("Input", _json(timer.input), _json(input_of(schedule.name))),
        ("State", "ENABLED" if timer.is_on else "DISABLED", "ENABLED"),
    ]
    lines = [f"{what} is {_shown(has)}, the code says {_shown(says)}" for what, has, says in rows if has != says]
    if clock is not None and callee(timer.target)[0] != clock.name:
        lines.append(f"it calls {callee(timer.target)[0]}, it must call {clock.name}")
    if timer.group != graph.stack:
        lines.append(f"GroupName is {timer.group}, it must be the stack's own group")
    return lines


def _schedule_of(timer: Timer) -> str | None:
    """Return which of our schedules it is, by what it hands over, else by its name; None if it is the tick."""
    handed_over = _json(timer.input)
    if timer.input is None:
        return None
    name = handed_over.get("schedule") if isinstance(handed_over, dict) else timer.name
    return name if isinstance(name, str) else None


def _json(text: str | None) -> object:
    try:
        return json.loads(text) if text is not None else None
    except ValueError:
        return text


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


RULES: Final = (schedule_expressions, clock, schedules)
