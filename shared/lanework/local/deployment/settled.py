"""A template for known values of its parameters: without the parameters, and without the conditions on them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from lanework.doctor.intrinsics import Resolver
from lanework.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_LATER: Final = re.compile(r'AWS::|"Fn::(FindInMap|ImportValue|GetAZs)"')
"""What a condition has in it that is known at the deployment only."""


def settled(template: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """
    Return a template of which these parameters have these values for good.

    Resources and outputs whose condition doesn't hold are gone. What isn't known yet stays as it is: parameters that
    have no value here, and conditions on those or on where the stack is.

    Args:
        template: As the SAM transform made it.
        values: As of `parameter_values`; a text of the CDK's that stands for a value is one that isn't empty.

    Raises:
        ConfigError: The values break one of the template's Rules.
    """
    return _Settling(template, values).template()


def broken_rules(template: Mapping[str, Any], resolver: Resolver, known: Collection[str]) -> Iterator[str]:
    """Yield what a template's Rules say against the values of a deployment, as far as those are known here."""
    for name, rule in template.get("Rules", {}).items():
        if _referred(rule) <= set(known) and resolver.holds(rule.get("RuleCondition", {"Fn::And": []})):
            for assertion in rule["Assertions"]:
                if not resolver.holds(assertion["Assert"]):
                    yield assertion.get("AssertDescription", f"the template's rule {name} is broken")


class _Settling:
    def __init__(self, template: dict[str, Any], values: Mapping[str, str]) -> None:
        self._template = template
        self._resolver = Resolver(template, parameters=values, pseudo={})
        self._values = {name: self._resolver.value({"Ref": name}) for name in values}
        self._conditions: dict[str, Any] = template.get("Conditions", {})
        self._later: set[str] = set()
        while more := {one for one in self._conditions if one not in self._later and self._is_later(one)}:
            self._later |= more

    def template(self) -> dict[str, Any]:
        for broken in broken_rules(self._template, self._resolver, self._values):
            raise ConfigError(broken)
        kept = {key: one for key, one in self._template.items() if key not in ("Metadata", "Rules")}
        made = {
            **kept,
            "Parameters": {name: one for name, one in kept.get("Parameters", {}).items() if name not in self._values},
            "Conditions": {name: self._value(one) for name, one in self._conditions.items() if name in self._later},
            "Resources": self._entries(kept["Resources"]),
            "Outputs": self._entries(kept.get("Outputs", {})),
        }
        for one in made["Resources"].values():
            if "DependsOn" in one:
                on = [one["DependsOn"]] if isinstance(one["DependsOn"], str) else one["DependsOn"]
                one["DependsOn"] = [name for name in on if name in made["Resources"]]
        return {key: one for key, one in made.items() if one}

    def _is_later(self, name: str) -> bool:
        text = json.dumps(self._conditions[name])
        unknown = [*(self._template.get("Parameters", {}).keys() - self._values.keys()), *self._later]
        return bool(_LATER.search(text)) or any(f'"{one}"' in text or f"${{{one}}}" in text for one in unknown)

    def _entries(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is there of a section's entries."""
        there = {}
        for name, one in entries.items():
            condition = one.get("Condition")
            if condition is None or condition in self._later:
                there[name] = self._value(one)
            elif self._resolver.holds({"Condition": condition}):
                there[name] = self._value({key: part for key, part in one.items() if key != "Condition"})
        return there

    def _value(self, node: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        if isinstance(node, list):
            return [one for one in map(self._value, node) if one != _NO_VALUE]
        if not isinstance(node, dict):
            return node
        match node:
            case {"Ref": str(name)} if len(node) == 1:
                return self._values.get(name, node)
            case {"Fn::Sub": argument}:
                return self._sub(argument)
            case {"Fn::If": [str(condition), then, otherwise]}:
                if condition in self._later:
                    return {"Fn::If": [condition, self._value(then), self._value(otherwise)]}
                return self._value(then if self._resolver.holds({"Condition": condition}) else otherwise)
            case {"Condition": str(condition)} if len(node) == 1 and condition in self._conditions:
                return node if condition in self._later else _constant(is_true=self._resolver.holds(node))
            case _:
                return {
                    name: one
                    for name, one in ((name, self._value(one)) for name, one in node.items())
                    if one != _NO_VALUE
                }

    def _sub(self, argument: Any) -> Any:  # noqa: ANN401 - text, or a list of text and values
        text, given = (argument, {}) if isinstance(argument, str) else argument
        variables = {name: self._value(one) for name, one in given.items()}

        def fill(found: re.Match[str]) -> str:
            name = found[1]
            value = self._values.get(name)
            if name in variables or value is None:
                return found[0]
            if isinstance(value, str) and "{" not in value:
                return value
            variables[name] = value
            return found[0]

        filled = re.sub(r"\$\{(\w+)\}", fill, text)
        if "${" not in filled:
            return filled
        return {"Fn::Sub": [filled, variables] if variables else filled}


def _constant(*, is_true: bool) -> dict[str, Any]:
    return {"Fn::Equals": ["true", "true" if is_true else "false"]}


def _referred(rule: Any) -> set[str]:  # noqa: ANN401 - whatever JSON holds
    return set(re.findall(r'"Ref": "(\w+)"', json.dumps(rule)))
