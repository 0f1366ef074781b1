"""Compares the schedules that job types declare with those that the template has, and writes what is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.eventbridge import RETRIES, input_of
from lanework.errors import did_you_mean
from lanework.local.template import FUNCTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanework.model.schedules import Schedule

GROUP: Final = "AWS::Scheduler::ScheduleGroup"

_TICK: Final = "${AWS::StackName}-tick"
_OWN_GROUP: Final = (
    {"Ref": "AWS::StackName"},
    {"Fn::Sub": "${AWS::StackName}"},
)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    What differs between the code and the template.

    Attributes:
        problems: A line for each difference.
        to_paste: YAML that mends them; empty if there is nothing to paste.
    """

    problems: tuple[str, ...]
    to_paste: str


def compare(template: dict[str, Any], declared: Sequence[Schedule]) -> Comparison:
    """
    Compare what the code declares with the template.

    Args:
        template: What `read_template` returned.
        declared: The schedules of the application's job types.
    """
    found = {_schedule_of(event): (function, event) for function, event in _events(template)}
    found.pop(None, None)
    wanted = {one.name: one for one in declared}
    wrong = {name: _differences(schedule, found.get(name), template) for name, schedule in wanted.items()}
    problems = [f"schedule {name!r}: {line}" for name, lines in wrong.items() for line in lines]
    for name in found:
        if name not in wanted:
            hint = did_you_mean(str(name), wanted)
            problems.append(f"schedule {name!r}: no job type declares it{hint or '; remove it from the template'}")
    return Comparison(
        problems=tuple(problems), to_paste=_yaml([wanted[name] for name, lines in wrong.items() if lines], template)
    )


def _differences(schedule: Schedule, found: tuple[str, dict[str, Any]] | None, template: dict[str, Any]) -> list[str]:
    if found is None:
        return ["the template doesn't have it"]
    function, event = found
    expression = schedule.timetable.expression_for_eventbridge()
    clock = next((name for name, one in _events(template) if one.get("Name") == {"Fn::Sub": _TICK}), function)
    groups = [{"Ref": name} for name, one in template["Resources"].items() if one.get("Type") == GROUP]
    rows = [
        ("Name", event.get("Name"), schedule.name),
        ("ScheduleExpression", event.get("ScheduleExpression"), expression.text),
        ("ScheduleExpressionTimezone", event.get("ScheduleExpressionTimezone", "UTC"), expression.timezone),
        ("Input", _json(event.get("Input")), _json(input_of(schedule.name))),
        ("State", event.get("State", "ENABLED"), "ENABLED"),
        ("its function", function, clock),
    ]
    lines = [f"{what} is {_shown(has)}, the code says {_shown(says)}" for what, has, says in rows if has != says]
    if event.get("GroupName") not in (*groups, *_OWN_GROUP):
        lines.append(f"GroupName is {_shown(event.get('GroupName'))}, it must be the stack's own group")
    return lines


def _events(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each schedule among the events of functions, with its function."""
    for name, resource in template["Resources"].items():
        if resource.get("Type") != FUNCTION:
            continue
        for event in (resource.get("Properties", {}).get("Events") or {}).values():
            if event.get("Type") == "ScheduleV2":
                yield name, event.get("Properties", {})


def _schedule_of(event: dict[str, Any]) -> str | None:
    """Return which of our schedules an event is, by what it hands over, else by its name; None if it is the tick."""
    handed_over = _json(event.get("Input"))
    name = handed_over.get("schedule") if isinstance(handed_over, dict) else event.get("Name")
    return name if isinstance(name, str) else None


def _yaml(schedules: Sequence[Schedule], template: dict[str, Any]) -> str:
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


def _json(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
