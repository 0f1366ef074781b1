"""CloudFormation's functions (`Ref`, `Fn::Sub`, `Fn::If`, …) worked out, as far as they can be before a deployment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", "cloudwatch:{region}:{account}:alarm:{name}"),
    "AWS::CloudWatch::Dashboard": ("DashboardName", "cloudwatch::{account}:dashboard/{name}"),
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "iam::{account}:policy/{name}"),
    "AWS::IAM::Role": ("RoleName", "iam::{account}:role/{name}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{region}:{account}:function:{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::SNS::Topic": ("TopicName", "sns:{region}:{account}:{name}"),
    "AWS::SQS::Queue": ("QueueName", "sqs:{region}:{account}:{name}"),
    "AWS::Scheduler::ScheduleGroup": ("Name", "scheduler:{region}:{account}:schedule-group/{name}"),
}
"""By type: which property is the name, and the ARN after its partition."""

_BY_ARN: Final = frozenset({"AWS::IAM::ManagedPolicy", "AWS::SNS::Topic"})
"""Types whose `Ref` is an ARN; a queue's is its URL, the others' their name."""

_LEFT_OUT: Final = object()


class Resolver:
    """Works out the values of a translated template: what has no name of its own is called by its logical id."""

    def __init__(
        self,
        template: dict[str, Any],
        *,
        parameters: Mapping[str, str],
        pseudo: Mapping[str, str],
        given: Mapping[str, str] | None = None,
    ) -> None:
        """
        Take a template.

        Args:
            template: As the SAM transform made it.
            parameters: Values for its parameters; those that are missing have their defaults.
            pseudo: AWS::StackName, AWS::Region, AWS::AccountId.
            given: Names that CloudFormation gave to what has none of its own, by logical id; none before a deployment.
        """
        self._resources: dict[str, Any] = template["Resources"]
        self._conditions: dict[str, Any] = template.get("Conditions", {})
        self._given = given or {}
        declared = template.get("Parameters", {})
        values = {name: _typed(one, parameters.get(name, one.get("Default", ""))) for name, one in declared.items()}
        self._known: dict[str, Any] = {"AWS::Partition": "aws", **pseudo, **values}

    def resources(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return the type and the properties of each resource whose condition holds, by logical id."""
        return {
            name: (one["Type"], self.value(one.get("Properties", {})))
            for name, one in self._resources.items()
            if "Condition" not in one or self.holds({"Condition": one["Condition"]})
        }

    def arn(self, logical_id: str) -> str:
        """Return a resource's ARN; where its type has none that can be known, its logical id."""
        kind = self._resources.get(logical_id, {}).get("Type", "")
        if kind not in _NAMES:
            return logical_id
        region, account = self._known["AWS::Region"], self._known["AWS::AccountId"]
        name = self.name(logical_id)
        if kind == "AWS::IAM::Role":
            path = str(self.value(self._resources[logical_id].get("Properties", {}).get("Path", "/")))
            name = f"{path}{name}".removeprefix("/")
        rest = _NAMES[kind][1].format(region=region, account=account, name=name)
        return f"arn:{self._known['AWS::Partition']}:{rest}"

    def name(self, logical_id: str) -> str:
        """Return a resource's name; where it is left to CloudFormation, the one that was given, or its logical id."""
        one = self._resources.get(logical_id, {})
        if one.get("Type") not in _NAMES:
            return logical_id
        name = one.get("Properties", {}).get(_NAMES[one["Type"]][0], self._given.get(logical_id, logical_id))
        return str(self.value(name))

    def value(self, node: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Return a value with all functions in it worked out."""
        if isinstance(node, list):
            return [one for one in map(self.value, node) if one is not _LEFT_OUT]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                return self._call(name, argument)
        worked_out = {name: self.value(one) for name, one in node.items()}
        return {name: one for name, one in worked_out.items() if one is not _LEFT_OUT}

    def _call(self, name: str, argument: Any) -> Any:  # noqa: ANN401 - as above
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                path = argument if isinstance(argument, str) else ".".join(argument)
                logical_id, _, attribute = path.partition(".")
                return self.arn(logical_id) if attribute == "Arn" else self.name(logical_id)
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self.value(then if self.holds({"Condition": condition}) else otherwise)
            case "Fn::Join" | "Fn::Split" | "Fn::Select":
                return _of_list(name, argument[0], self.value(argument[1]))
            case "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" | "Condition":
                return self.holds({name: argument})
            case _:
                return f"{name} {argument}"

    def _ref(self, name: str) -> Any:  # noqa: ANN401 - as above
        if name == "AWS::NoValue":
            return _LEFT_OUT
        if name in self._known:
            return self._known[name]
        kind = self._resources.get(name, {}).get("Type")
        if kind is None:
            return name
        if kind == "AWS::SQS::Queue":
            region, account = self._known["AWS::Region"], self._known["AWS::AccountId"]
            return f"https://sqs.{region}.amazonaws.com/{account}/{self.name(name)}"
        if kind == "AWS::Lambda::Alias":
            of = self.value(self._resources[name]["Properties"])
            region, account, partition = (self._known[f"AWS::{one}"] for one in ("Region", "AccountId", "Partition"))
            return f"arn:{partition}:lambda:{region}:{account}:function:{of['FunctionName']}:{of['Name']}"
        return self.arn(name) if kind in _BY_ARN else self.name(name)

    def _sub(self, argument: Any) -> str:  # noqa: ANN401 - text, or a list of text and values
        text, values = (argument, {}) if isinstance(argument, str) else argument

        def fill(found: re.Match[str]) -> str:
            name = found[1]
            if name in values:
                return str(self.value(values[name]))
            return str(self._call("Fn::GetAtt" if "." in name else "Ref", name))

        return re.sub(r"\$\{([^!}][^}]*)\}", fill, text)

    def holds(self, condition: dict[str, Any]) -> bool:
        """Tell whether a condition is met, or an assertion of a rule."""
        ((name, argument),) = condition.items()
        match name:
            case "Condition":
                return self.holds(self._conditions[argument])
            case "Fn::Equals":
                left, right = map(self.value, argument)
                return str(left) == str(right)
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(map(self.holds, argument))
            case "Fn::EachMemberEquals":
                members, wanted = map(self.value, argument)
                return all(str(one) == str(wanted) for one in members)
            case _:
                return any(map(self.holds, argument))


def _typed(declared: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401 - text or a list of it
    """Return a parameter's value as `Ref` returns it: of a list's type, its members."""
    is_list = str(declared.get("Type")).startswith(("CommaDelimitedList", "List<"))
    return [one.strip() for one in str(value).split(",")] if is_list else value


def _of_list(name: str, by: str, value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a function makes of a list, or a list of text."""
    match name:
        case "Fn::Join":
            return by.join(map(str, value))
        case "Fn::Split":
            return str(value).split(by)
        case _:  # of what can't be known here, such as a region's zones, a text that names it
            return value[int(by)] if isinstance(value, list) else f"{value} {by}"
