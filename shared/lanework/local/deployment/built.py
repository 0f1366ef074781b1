"""
Ties what `sam build` made to what it was made for, so that it can't be deployed to another runtime or architecture.

`make build` runs this module after the SAM CLI.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanework.errors import StackError
from lanework.local.deployment.template import read_template

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


def main(runtime: str, architecture: str) -> None:
    """Rewrite the built template in the working folder; exit with a line if it can't be."""
    try:
        template = tied(read_template(BUILT), {"Runtime": runtime, "Architecture": architecture})
    except StackError as error:
        sys.exit(str(error))
    BUILT.write_text(json.dumps(template, indent=2, default=str) + "\n")  # JSON is YAML, too


if __name__ == "__main__":
    main(*sys.argv[1:])
