"""Writes a gradual deployment into the template: aliases that CodeDeploy shifts, and takes back at an alarm."""

from __future__ import annotations

import re
from typing import Final

_FUNCTIONS: Final = re.compile(r"^  (\w+)ErrorsAlarm:$", re.MULTILINE)
"""Each function that an alarm on its errors watches can be taken back: the lanes' workers, and the clock."""

_ROLE: Final = """\
  # ---- Gradual deployment: CodeDeploy shifts each function's alias to its new version, and back at an alarm ----

  DeploymentRole:
    Type: AWS::IAM::Role
    Properties:
      Path: !Ref RolePath
      PermissionsBoundary: !If [RolesAreBounded, !Ref PermissionsBoundary, !Ref AWS::NoValue]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: codedeploy.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: shift-aliases
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: Aliases
                Effect: Allow
                Action:
                  - lambda:GetAlias
                  - lambda:GetProvisionedConcurrencyConfig
                  - lambda:UpdateAlias
                Resource:
%s              - Sid: Alarms
                Effect: Allow
                Action: cloudwatch:DescribeAlarms
                Resource: "*"  # CodeDeploy asks for all

"""

_BEFORE: Final = "  # ---- Who watches:"

_STORAGE: Final = re.compile(r"^  (\w+Storage):$", re.MULTILINE)

_SNAPSTART: Final = """\
  SnapStart:
    Type: String
    Default: "off"
    AllowedValues: ["on", "off"]
    Description: >-
      Let Lambda start the functions that have an alias from snapshots (docs/deploy.md). Build again after a change:
      a snapshot is made of a new version.
"""

_SNAPSTART_IS_POSSIBLE: Final = """\
  SnapStartIsPossible:
    RuleCondition: !Equals [!Ref SnapStart, "on"]
    Assertions:
      - Assert: !Not [!Equals [!Ref Runtime, python3.11]]
        AssertDescription: SnapStart=on needs Runtime=python3.12, or newer.
"""

_NO_MORE_STORAGE: Final = """\
      - Assert: !Equals [!Ref {name}, "512"]
        AssertDescription: SnapStart=on needs {name}=512, AWS's most for it.
"""


def with_deployment(text: str, deployment: str) -> str:
    """
    Return the template's text with an alias `live` of each function, which deployments shift as `deployment` says.

    What calls a function calls its alias then; so do EventBridge's roles for schedules.
    """
    names = [_function_of(prefix, text) for prefix in _FUNCTIONS.findall(text)]
    for prefix, name in zip(_FUNCTIONS.findall(text), names, strict=True):
        text = re.sub(
            rf"(?m)^      Role: !GetAtt {name}Role\.Arn\n",
            rf"\g<0>      AutoPublishAlias: live  # by [tool.lanework] deployment; what calls the function calls this\n"
            rf"      DeploymentPreference:\n"
            rf"        {{Type: {deployment}, Alarms: [!Ref {prefix}ErrorsAlarm], Role: !GetAtt DeploymentRole.Arn}}\n"
            rf"      SnapStart: !If [SnapStartIsOn, {{ApplyOn: PublishedVersions}}, !Ref AWS::NoValue]\n",
            text,
        )
    for name in names:
        text = text.replace(
            f"                Resource: !GetAtt {name}.Arn\n", f"                Resource:\n{_arns(name)}"
        )
        text = text.replace(f"        Arn: !GetAtt {name}.Arn\n", f"        Arn: !Sub ${{{name}.Arn}}:live\n")
    return _with_snapstart(text.replace(_BEFORE, _ROLE % "".join(map(_arns, names)) + _BEFORE))


def _with_snapstart(text: str) -> str:
    """Return the text with the parameter `SnapStart`, which only a function with published versions can have."""
    rule = _SNAPSTART_IS_POSSIBLE + "".join(_NO_MORE_STORAGE.format(name=name) for name in _STORAGE.findall(text))
    text = text.replace("[Runtime, Architecture, ", "[Runtime, Architecture, SnapStart, ", 1)
    text = text.replace("\n  LookAheadSeconds:\n", f"\n{_SNAPSTART}  LookAheadSeconds:\n", 1)
    is_on = '  SnapStartIsOn: !Equals [!Ref SnapStart, "on"]\n'
    return text.replace("\nConditions:\n", f"{rule}\nConditions:\n{is_on}", 1)


def _arns(function: str) -> str:
    """Return the entries of a list for a function and its alias."""
    return f"                  - !GetAtt {function}.Arn\n                  - !Sub ${{{function}.Arn}}:live\n"


def _function_of(prefix: str, text: str) -> str:
    """Return the function that an alarm is about: a lane's worker, else what has the alarm's own name."""
    return f"{prefix}Worker" if f"\n  {prefix}Worker:\n" in text else prefix
