"""Values for a template's parameters in Python's words, held to what the template says of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lanework.errors import ConfigError, did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN: Final = re.compile(r"[$#]\{Token\[")
"""How the CDK writes what is known at the deployment only."""


def parameter_values(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, object]) -> dict[str, str]:
    """
    Return the values that parameters have before a deployment, as text: what is given, else their defaults.

    What only a deployment knows has none: a parameter without a default, one of SSM's types, and one with NoEcho.

    Args:
        declared: The template's Parameters.
        given: By a parameter's name in lower case with underscores, `kms_key` for KmsKey: a text, a number, True or
            False for "true" and "false", or a list of texts.

    Raises:
        ConfigError: A name that no parameter has, or a value that the template doesn't take.
    """
    names = {snake(name): name for name in declared}
    for name in given:
        if name not in names:
            msg = f"template.yaml has no parameter {name!r}{did_you_mean(name, names)}"
            raise ConfigError(msg)
    values = {names[name]: _text(name, value) for name, value in given.items()}
    for name, value in values.items():
        check_value(snake(name), value, declared[name])
    fixed = {name for name, one in declared.items() if not is_open(one)}
    defaults = {name: str(declared[name]["Default"]) for name in fixed if "Default" in declared[name]}
    for name in values.keys() - fixed:
        msg = f"{snake(name)} is read when the stack is deployed: write cdk deploy --parameters {name}=…"
        raise ConfigError(msg)
    return {name: values.get(name, defaults.get(name, "")) for name in declared if name in {*values, *defaults}}


def snake(name: str) -> str:
    """Return a name of CloudFormation's in lower case with underscores: `kms_master_key_id` for KMSMasterKeyId."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def is_open(declared: Mapping[str, Any]) -> bool:
    """Tell whether CloudFormation alone may read a parameter's value: it is in SSM, or a secret."""
    return str(declared.get("Type")).startswith("AWS::SSM::") or str(declared.get("NoEcho", "")).lower() == "true"


def _text(name: str, value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case list() | tuple() if all(isinstance(one, str) for one in value):
            return ",".join(value)
        case _:
            msg = f"{name} must be a text, a number, True, False or a list of texts, not {shown(value)}"
            raise ConfigError(msg)


def check_value(name: str, value: str, declared: Mapping[str, Any]) -> None:
    """
    Hold a value to what the template says of its parameter.

    Raises:
        ConfigError: The template doesn't take it.
    """
    allowed = [str(one) for one in declared.get("AllowedValues", [])]
    if allowed and value not in allowed:
        msg = f"{name} must be one of {', '.join(allowed)}, not {shown(value)}"
        raise ConfigError(msg)
    if declared.get("Type") == "Number":
        _check_number(name, value, declared)
    pattern = declared.get("AllowedPattern")
    if pattern is not None and not _TOKEN.search(value) and not re.search(pattern, value):
        rule = declared.get("ConstraintDescription", f"must be like {pattern}")
        msg = f"{name} {rule}, not {shown(value)}"
        raise ConfigError(msg)


def _check_number(name: str, value: str, declared: Mapping[str, Any]) -> None:
    bounds = {word: declared[key] for word, key in (("least", "MinValue"), ("most", "MaxValue")) if key in declared}
    least, most = float(bounds.get("least", "-inf")), float(bounds.get("most", "inf"))
    if not re.fullmatch(r"-?\d+(\.\d+)?", value) or not least <= float(value) <= most:
        said = " and ".join(f"at {word} {bound}" for word, bound in bounds.items())
        msg = f"{name} must be a number{f', {said}' if said else ''}, not {value!r}"
        raise ConfigError(msg)
