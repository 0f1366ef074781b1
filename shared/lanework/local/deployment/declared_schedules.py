"""Writes the YAML of schedules that job types declare and a template lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanework.aws.scheduler import RETRIES
from lanework.model.schedule.schedule import input_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.model.schedule.schedule import Schedule

GROUP: Final = "AWS::Scheduler::ScheduleGroup"

_GROUP_AND_ROLE: Final = """\
  ScheduleGroup:
    Type: AWS::Scheduler::ScheduleGroup
    Properties:
      Name: !Ref AWS::StackName

  SchedulerRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: scheduler.amazonaws.com}
            Action: sts:AssumeRole
            Condition:
              StringEquals:
                aws:SourceAccount: !Ref AWS::AccountId
                aws:SourceArn: !GetAtt ScheduleGroup.Arn
      Policies:
        - PolicyName: prod-the-clock
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt Clock.Arn}

"""


def to_paste(template: dict[str, Any], schedules: Sequence[Schedule]) -> str:
    """
    Return the YAML that gives a template these schedules; empty if there are none.

    Args:
        template: What `read_template` returned: the group and the role are written where it has none.
        schedules: Those that it lacks, or has otherwise.
    """
    if not schedules:
        return ""
    has_group = any(one.get("Type") == GROUP for one in template["Resources"].values())
    events = "".join(_event_yaml(schedule) for schedule in schedules)
    head = "" if has_group else f"# under Resources\n{_GROUP_AND_ROLE}"
    return f"{head}# under Events of the clock function\n{events}"


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
