"""
What `make build` does after the SAM CLI: it imports the functions, and ties them to what they were built for.

They can't be deployed to another runtime or architecture then.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from lanework.errors import StackError
from lanework.local.deployment import layer_imports
from lanework.local.deployment.layer_files import code_files
from lanework.local.deployment.template import FUNCTION, LAYER, functions, read_template

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT = Path(".aws-sam/build/template.yaml")


def tied(template: dict[str, Any], made_for: Mapping[str, str]) -> dict[str, Any]:
    """
    Return a template of which the parameters in `made_for` have the given values, and take no others.

    CloudFormation then refuses another value, be it from samconfig.toml, from the command line, or the stack's own of
    before, and says the parameter's name and what to do.

    Raises:
        StackError: The template has no such parameter.
    """
    parameters = dict(template.get("Parameters", {}))
    for name, value in made_for.items():
        if name not in parameters:
            problem = (
                f"template.yaml has no parameter {name}, which says what the functions run on; try: lanework upgrade"
            )
            raise StackError(problem)
        parameters[name] = {
            "Type": "String",
            "Default": value,
            "AllowedValues": [value],
            "ConstraintDescription": f"must be what was built, {value}: deploy with {name}={value}, or make build "
            f"{name.upper()}=… for another",
        }
    return {**template, "Parameters": parameters}


def published(template: dict[str, Any], release: str) -> dict[str, Any]:
    """
    Return a template whose functions with an alias get a new version, whatever has changed.

    The SAM transform by itself makes one only of a changed CodeUri, and what changes is the layer.

    Args:
        release: Differs from each build to the next.
    """
    resources = {
        name: {**one, "Properties": {**one["Properties"], "AutoPublishCodeSha256": release}}
        if one.get("Type") == FUNCTION and "AutoPublishAlias" in one["Properties"]
        else one
        for name, one in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def check_functions(folder: Path, template: dict[str, Any], runtime: str, architecture: str) -> None:
    """
    Look for what the built functions in `folder` import, each code once, as `layer_imports` does for the layer.

    They are imported with the variables of the environment that the template gives them, where those are texts.

    Raises:
        StackError: With file and line of what is missing.
    """
    layers = [one["Properties"]["ContentUri"] for one in template["Resources"].values() if one.get("Type") == LAYER]
    asked = ["--architecture", architecture, "--brought-in", str(Path(boto3.__file__).parents[1])]
    for one in layers:
        asked += ["--layer", str(folder / one / "python")]
    built = {folder / one["CodeUri"] for one in functions(template) if isinstance(one.get("CodeUri"), str)}
    different = {tuple((file.relative_to(one), file.read_bytes()) for file in code_files(one)): one for one in built}
    for code in different.values():
        done = subprocess.run(  # noqa: S603 - the runtime's interpreter, our own file
            [shutil.which(runtime) or runtime, "-I", "-S", layer_imports.__file__, str(code), *asked],
            env={**os.environ, **_variables(template)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(done.stderr.strip())
        print(done.stdout.strip())  # noqa: T201 - the build's words


def _variables(template: dict[str, Any]) -> dict[str, str]:
    """Return what functions have in their environment, but for Lanework's own; empty what CloudFormation works out."""
    given = [one.get("Environment", {}).get("Variables", {}) for one in functions(template)]
    return {
        name: str(value) if isinstance(value, str | int | float) else ""
        for one in given
        for name, value in one.items()
        if not name.startswith("LANEWORK_")
    }


def main(runtime: str, architecture: str) -> None:
    """Rewrite the built template in the working folder; exit with a line if it can't be."""
    try:
        template = tied(read_template(BUILT), {"Runtime": runtime, "Architecture": architecture})
        template = published(template, secrets.token_hex(16))
        check_functions(BUILT.parent, template, runtime, architecture)
    except StackError as error:
        sys.exit(str(error))
    BUILT.write_text(json.dumps(template, indent=2, default=str) + "\n")  # JSON is YAML, too


if __name__ == "__main__":
    main(*sys.argv[1:])
