"""CloudFormation's values as expressions of Terraform's language."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lanework.errors import ConfigError
from lanework.local.deployment.parameter_values import snake

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE: Final = 100
_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_PSEUDO: Final = {
    "AWS::StackName": "var.stack",
    "AWS::AccountId": "data.aws_caller_identity.current.account_id",
    "AWS::Region": "data.aws_region.current.id",
    "AWS::Partition": "data.aws_partition.current.partition",
    "AWS::URLSuffix": "data.aws_partition.current.dns_suffix",
}
REFS: Final = {
    "AWS::ApiGateway::Deployment": "deployment_id",
    "AWS::ApiGateway::Resource": "resource_id",
    "AWS::ApiGateway::RestApi": "rest_api_id",
    "AWS::ApiGateway::Stage": "stage_name",
    "AWS::ApiGatewayV2::Api": "api_id",
    "AWS::ApiGatewayV2::Authorizer": "authorizer_id",
    "AWS::ApiGatewayV2::Integration": "integration_id",
    "AWS::ApplicationAutoScaling::ScalableTarget": "scalable_target_id",
    "AWS::DynamoDB::Table": "table_name",
    "AWS::IAM::ManagedPolicy": "policy_arn",
    "AWS::IAM::Role": "role_name",
    "AWS::Lambda::Function": "function_name",
    "AWS::Lambda::LayerVersion": "layer_version_arn",
    "AWS::Logs::LogGroup": "log_group_name",
    "AWS::SNS::Topic": "topic_arn",
    "AWS::SQS::Queue": "queue_url",
    "AWS::Scheduler::ScheduleGroup": "name",
}
"""By type, the attribute that is what CloudFormation's `Ref` returns."""

ELSEWHERE: Final = {
    "AWS::SNS::TopicPolicy": ("aws_sns_topic_policy", "arn", "Topics"),
    "AWS::SQS::QueuePolicy": ("aws_sqs_queue_policy", "queue_url", "Queues"),
}
"""By type that the provider `awscc` doesn't have: the provider `aws`'s, and what is its attribute of one resource."""

JSON: Final = frozenset(
    {"AssumeRolePolicyDocument", "EventPattern", "Policy", "PolicyDocument", "RedriveAllowPolicy", "RedrivePolicy"}
)
"""Properties whose value is a document of its own, in words of its own."""

_JSON_OF: Final = frozenset({("AWS::DynamoDB::Table", "KeySchema")})
"""Properties of one type that the provider has as text; an index's own key has a form."""

_FREE: Final = frozenset({"Variables"})
"""Properties whose names are not CloudFormation's."""


def resource_type(kind: str) -> str:
    """Return a type's name in that provider: `awscc_sqs_queue` for AWS::SQS::Queue."""
    if kind in ELSEWHERE:
        return ELSEWHERE[kind][0]
    _, service, name = kind.split("::")
    return f"awscc_{service.lower()}_{snake(name)}"


def quoted(text: str) -> str:
    """Return a text that stands for itself."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def wrapped(begin: str, parts: list[str], end: str) -> str:
    """Return a list, an object or a call, on one line if it is short."""
    space = " " if begin == "{" and parts else ""
    line = f"{begin}{space}{', '.join(parts)}{space}{end}"
    if len(line) <= _LINE and "\n" not in line:
        return line
    inside = "".join(f"  {one.replace(chr(10), chr(10) + '  ')},\n" for one in parts)
    return f"{begin}\n{inside}{end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """
    Writes values of one template.

    Attributes:
        template: As the SAM transform made it.
        given: Expressions for values that the template has elsewhere, by their JSON.
    """

    template: Mapping[str, Any]
    given: Mapping[str, str]

    def of(self, node: Any, *, as_is: bool = False) -> str:  # noqa: ANN401 - whatever JSON holds
        """Return a value's expression; `as_is` keeps the names of its properties."""
        if (known := self.given.get(json.dumps(node, sort_keys=True, default=str))) is not None:
            return known
        match node:
            case None | bool() | int() | float():
                return json.dumps(node)
            case str():
                return quoted(node)
            case list():
                return self._list(node, as_is=as_is)
            case {"Fn::If": [str(condition), then, otherwise]}:
                return self._if(condition, then, otherwise, as_is=as_is)
            case dict() if len(node) == 1 and (name := next(iter(node))) and (name == "Ref" or name.startswith("Fn::")):
                return self._call(name, node[name])
            case dict() if as_is:
                return self._document(node)
            case _:
                return self._object({key: self._attribute(key, one) for key, one in node.items()})

    def condition(self, node: Any) -> str:  # noqa: ANN401 - as above
        """Return an expression that is true where a condition holds."""
        ((name, argument),) = node.items()
        match name:
            case "Condition":
                return f"local.{argument}"
            case "Fn::Not":
                return f"!{_bracketed(self.condition(argument[0]))}"
            case "Fn::And" | "Fn::Or":
                word = "&&" if name == "Fn::And" else "||"
                return f" {word} ".join(_bracketed(self.condition(one)) for one in argument)
            case "Fn::EachMemberEquals" if argument[1] == "":
                return f"length(compact({self.of(argument[0])})) == 0"
            case "Fn::Equals":
                return " == ".join(map(self._text, argument))
            case _:
                msg = f"Terraform can't be given the condition {name}: write it another way in your own resources"
                raise ConfigError(msg)

    def _text(self, node: Any) -> str:  # noqa: ANN401 - as above
        """Return a value as text, as which CloudFormation compares all: numbers are unlike texts in Terraform."""
        is_text = isinstance(node, str) or self._type_of(node) == "String"
        return self.of(node) if is_text else f"tostring({self.of(node)})"

    def _type_of(self, node: Any) -> str | None:  # noqa: ANN401 - as above
        name = node.get("Ref") if isinstance(node, dict) else None
        found: str | None = self.template.get("Parameters", {}).get(name, {}).get("Type")
        return found

    def attributes(self, kind: str, properties: Mapping[str, Any]) -> dict[str, str]:
        """Return a resource's attributes and their expressions."""
        if kind in ELSEWHERE:
            _, attribute, many = ELSEWHERE[kind]
            (one,) = properties[many]
            return {attribute: self.of(one), "policy": self._attribute("PolicyDocument", properties["PolicyDocument"])}
        texts = {key for key in properties if (kind, key) in _JSON_OF}
        return {
            snake(key): f"jsonencode({self.of(one, as_is=True)})" if key in texts else self._attribute(key, one)
            for key, one in properties.items()
        }

    def _attribute(self, key: str, value: Any) -> str:  # noqa: ANN401 - as above
        if key == "DashboardBody":
            return f"jsonencode({self.of(_parsed(value), as_is=True)})"
        if key in JSON:
            return f"jsonencode({self.of(value, as_is=True)})"
        return self.of(value, as_is=key in _FREE)

    def _object(self, entries: Mapping[str, str]) -> str:
        return wrapped("{", [f"{snake(key)} = {one}" for key, one in entries.items()], "}")

    def _document(self, node: Mapping[str, Any]) -> str:
        """Return an object under names of its own; what may have no value is merged, since null would be a value."""
        sure = {key: one for key, one in node.items() if not _may_be_missing(one)}
        plain = wrapped("{", [f"{quoted(key)} = {self.of(one, as_is=True)}" for key, one in sure.items()], "}")
        rest = [(key, node[key]["Fn::If"]) for key in node if key not in sure]
        added = [
            f"local.{condition} ? {{ {quoted(key)} = {self.of(then, as_is=True)} }} : {{}}"
            for key, (condition, then, _) in rest
        ]
        return wrapped("merge(", [plain, *added], ")") if added else plain

    def _list(self, node: list[Any], *, as_is: bool) -> str:
        if not any(map(_may_be_missing, node)):
            return wrapped("[", [self.of(one, as_is=as_is) for one in node], "]")
        parts = []
        for one in node:
            if not _may_be_missing(one):
                parts.append(f"[{self.of(one, as_is=as_is)}]")
                continue
            condition, then, otherwise = one["Fn::If"]
            sides = ["[]" if side == _NO_VALUE else f"[{self.of(side, as_is=as_is)}]" for side in (then, otherwise)]
            parts.append(f"local.{condition} ? {sides[0]} : {sides[1]}")
        return wrapped("concat(", parts, ")")

    def _if(self, condition: str, then: Any, otherwise: Any, *, as_is: bool) -> str:  # noqa: ANN401 - as above
        if _is_object(then) and _is_object(otherwise):  # both sides must have the same attributes
            keys = {**then, **otherwise}
            return self._object(
                {
                    key: self.of({"Fn::If": [condition, then.get(key, _NO_VALUE), otherwise.get(key, _NO_VALUE)]})
                    for key in keys
                }
            )
        if then == otherwise:
            return self.of(then, as_is=as_is)
        sides = ["null" if one == _NO_VALUE else self.of(one, as_is=as_is) for one in (then, otherwise)]
        return f"(local.{condition} ? {sides[0]} : {sides[1]})"

    def _call(self, name: str, argument: Any) -> str:  # noqa: ANN401 - as above
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return self._attribute_of(argument if isinstance(argument, str) else ".".join(argument))
            case "Fn::Sub" if isinstance(argument, str):
                return self._sub(argument)
            case "Fn::Select":
                return f'try({self.of(argument[1])}[{argument[0]}], "")'
            case "Fn::Join":
                return f"join({quoted(argument[0])}, {self.of(argument[1])})"
            case _:
                msg = f"Terraform can't be given {name}: write it another way in your own resources"
                raise ConfigError(msg)

    def _ref(self, name: str) -> str:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self.template.get("Parameters", {}):
            return f"var.{snake(name)}"
        return f"{self._address(name)}.{REFS[self.template['Resources'][name]['Type']]}"

    def _attribute_of(self, path: str) -> str:
        name, _, attribute = path.partition(".")
        return f"{self._address(name)}.{snake(attribute)}"

    def _address(self, name: str) -> str:
        one = self.template["Resources"][name]
        return f"{resource_type(one['Type'])}.{name}{'[0]' if 'Condition' in one else ''}"

    def _sub(self, text: str) -> str:
        """Return a text with names in it as a template of Terraform's."""
        literal, *rest = re.split(r"\$\{(\w[\w.:]*)\}", text)
        made = _inside(literal)
        for name, after in zip(rest[::2], rest[1::2], strict=True):
            made += f"${{{self._attribute_of(name) if '.' in name else self._ref(name)}}}{_inside(after)}"
        return f'"{made}"'


def _inside(literal: str) -> str:
    """Return a part of a text that has no names in it."""
    return quoted(literal.replace("${!", "${"))[1:-1]


def _bracketed(condition: str) -> str:
    return f"({condition})" if " " in condition or condition.startswith("!") else condition


def _is_object(node: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(node, dict) and not any(key == "Ref" or key.startswith("Fn::") for key in node)


def _may_be_missing(node: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(node, dict) and "Fn::If" in node and _NO_VALUE in node["Fn::If"]


def _parsed(value: Any) -> Any:  # noqa: ANN401 - as above
    """Return what a text of JSON holds, each text in it as `Fn::Sub` has it."""
    found = json.loads(value["Fn::Sub"] if isinstance(value, dict) else value)
    return _substituted(found) if isinstance(value, dict) else found


def _substituted(node: Any) -> Any:  # noqa: ANN401 - as above
    match node:
        case str():
            return {"Fn::Sub": node} if "${" in node else node
        case list():
            return [_substituted(one) for one in node]
        case dict():
            return {key: _substituted(one) for key, one in node.items()}
        case _:
            return node
