"""Reads the SAM template, and points it at packaged code."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from lanework.errors import ConfigError, StackError
from lanework.model.lanes import ALL_LANES, lanes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lanework.model.lanes import Lane

FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"


def read_template(path: Path) -> dict[str, Any]:
    """
    Return a template as data, short forms such as `!Ref` written out.

    Raises:
        StackError: If it can't be read, isn't YAML, or declares no resources.
        ConfigError: What reads templates isn't installed.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        problem = f"can't read {path}: {error}"
        raise StackError(problem) from error
    template = parsed(text, path.name)
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        problem = f"{path.name} is not a template: it has no Resources"
        raise StackError(problem)
    return template


def parsed(text: str, name: str) -> Any:  # noqa: ANN401 - whatever YAML may be
    """
    Return what YAML in CloudFormation's words says, short forms such as `!Ref` written out.

    Raises:
        StackError: It isn't YAML; `name` is that of its file.
        ConfigError: What reads templates isn't installed.
    """
    try:
        from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415 - only in the extra `local`
        from yaml import YAMLError  # type: ignore[import-untyped]  # noqa: PLC0415 - as above
    except ImportError as error:
        msg = f"reading {name} needs an extra: pip install 'lanework[local]'"
        raise ConfigError(msg) from error
    try:
        return yaml_parse(text)
    except (YAMLError, ValueError) as error:
        problem = f"{name} is not valid YAML: {' '.join(str(error).split())}"
        raise StackError(problem) from error


def with_code_at(template: dict[str, Any], locate: Callable[[str, str], str]) -> dict[str, Any]:
    """
    Return a copy whose functions and layers have their code elsewhere.

    Args:
        template: What `read_template` returned.
        locate: Given a local folder as the template names it, and whether it is a `FUNCTION`'s or a `LAYER`'s, returns
            where its package is. Called for code that isn't in S3 already.
    """
    located = copy.deepcopy(template)
    resources = [one for one in located["Resources"].values() if isinstance(one, dict)]
    sources = [(FUNCTION, "CodeUri", located.get("Globals", {}).get("Function", {}))]
    for kind, key in ((FUNCTION, "CodeUri"), (LAYER, "ContentUri")):
        sources += [(kind, key, one.get("Properties", {})) for one in resources if one.get("Type") == kind]
    for kind, key, properties in sources:
        folder = properties.get(key)
        if isinstance(folder, str) and not folder.startswith("s3://"):
            properties[key] = locate(folder, kind)
    return located


def lanes_in(template: dict[str, Any]) -> tuple[Lane, ...]:
    """Return the lanes that a template's functions know of: all five where it doesn't say."""
    variables = template.get("Globals", {}).get("Function", {}).get("Environment", {}).get("Variables", {})
    named = variables.get("LANEWORK_LANES")
    return ALL_LANES if named is None else lanes_of(str(named).split(","))


def with_variables(template: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy whose functions all have these variables; they count more than what Globals says."""
    given = copy.deepcopy(template)
    everywhere = given.setdefault("Globals", {}).setdefault("Function", {}).setdefault("Environment", {})
    everywhere["Variables"] = {**everywhere.get("Variables", {}), **values}
    return given


def functions(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the properties of each function, with what Globals says of all of them."""
    shared = template.get("Globals", {}).get("Function", {})
    own = [one.get("Properties", {}) for one in template["Resources"].values() if one.get("Type") == FUNCTION]
    return [{**shared, **one, "Environment": _merged(shared, one)} for one in own]


def _merged(*levels: dict[str, Any]) -> dict[str, Any]:
    variables = [level.get("Environment", {}).get("Variables", {}) for level in levels]
    return {"Variables": {name: value for one in variables for name, value in one.items()}}


def at_once(template: dict[str, Any]) -> dict[str, Any]:
    """Return a copy whose functions have no alias, nor what needs one: no emulator has CodeDeploy, or snapshots."""
    bare = copy.deepcopy(template)
    for one in bare["Resources"].values():
        if isinstance(one, dict) and one.get("Type") == FUNCTION:
            for key in ("AutoPublishAlias", "DeploymentPreference", "SnapStart"):
                one.get("Properties", {}).pop(key, None)
        match one:
            case {"Properties": {"Target": {"Arn": {"Fn::Sub": str(called)}} as target}} if called.endswith(
                ".Arn}:live"
            ):
                target["Arn"] = {"Fn::Sub": called.removesuffix(":live")}
    return bare
