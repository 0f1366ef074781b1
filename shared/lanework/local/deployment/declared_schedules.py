"""The schedules that job types declare, as events of the template's clock function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.aws.scheduler import RETRIES
from lanework.model.schedule.schedule import input_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanework.model.schedule.schedule import Schedule


def events_yaml(schedules: Iterable[Schedule]) -> str:
    """Return the YAML that stands under `Events` of the clock function for these schedules, by name."""
    return "".join(_event_yaml(schedule) for schedule in sorted(schedules, key=lambda one: one.name))


def _event_yaml(schedule: Schedule) -> str:
    expression = schedule.timetable.expression_for_eventbridge()
    name = "".join(word.capitalize() for word in schedule.name.replace("_", ".").replace("-", ".").split("."))
    retries = ", ".join(f"{key}: {value}" for key, value in RETRIES.items())
    return f"""\
        {name}:
          Type: ScheduleV2
          Properties:
            Name: {schedule.name}
            GroupName: !Ref ScheduleGroup
            ScheduleExpression: {expression.text}
            ScheduleExpressionTimezone: {expression.timezone}
            Input: '{input_of(schedule.name)}'
            RoleArn: !GetAtt SchedulerRole.Arn
            RetryPolicy: {{{retries}}}
"""
