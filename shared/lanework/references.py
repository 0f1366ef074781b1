"""What a worker function does before it imports the application: it reads what variables refer to."""

from __future__ import annotations

import os
from typing import Final

NAMES: Final = "LANEWORK_REFERENCES"
"""Names of variables that hold a reference, separated by commas; template.yaml sets it."""


def resolve_references() -> None:
    """
    Put the values in the place of references, in this process's environment.

    Workers' functions alone do: the others run no jobs, and may read no secret of theirs. A value stays for as long as
    Lambda keeps the function's environment.

    Raises:
        ConfigError: What is referred to isn't there or can't be read; the message names the variable.
        UnavailableError: SSM or Secrets Manager doesn't answer; Lambda starts the function anew.
    """
    if "LANEWORK_LANE" not in os.environ:
        return
    from lanework.aws.references import read_references  # noqa: PLC0415 - for who refers to something
    from lanework.settings import Settings  # noqa: PLC0415 - as above

    variables = {name: os.environ.get(name, "") for name in os.environ[NAMES].split(",")}
    os.environ.update(read_references(Settings.from_env(), variables))
