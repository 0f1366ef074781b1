"""What samconfig.toml says that `sam build` takes, and a layer's Makefile never sees."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Finding
from lanework.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE: Final = "samconfig.toml"
_OF_BUILD: Final = ("build", "global")
"""The commands of which `sam build` takes the parameters."""

_VALUE: Final = re.compile(r"(?:ParameterKey=)?\b(Runtime|Architecture)(?:,ParameterValue)?=\"?([\w.]+)")


def examine_samconfig(folder: Path) -> list[Finding]:
    """
    Return a finding for each section that lets a bare `sam build` name a runtime for which no layer is built.

    Raises:
        ConfigError: The file can't be read.
    """
    file = folder / FILE
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, ValueError) as error:
        msg = f"can't read {file}: {error}"
        raise ConfigError(msg) from error
    return [
        Finding(
            rule="samconfig",
            about=f"[{section}.parameters]",
            what=f"{FILE} says {name}={value} for sam build",
            why="the layer is built for what template.yaml says, and the functions would be declared for another one",
            todo=f"take it out of {FILE}, and build by: make build {name.upper()}={value}",
        )
        for section, overrides in _sections(said)
        for name, value in _VALUE.findall(overrides)
    ]


def _sections(said: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Return the overrides of sections that are about `sam build`, as one text each."""
    for environment, commands in said.items():
        for command, settings in commands.items() if isinstance(commands, dict) else ():
            match settings:
                case {"parameters": {"parameter_overrides": overrides}} if command in _OF_BUILD:
                    yield f"{environment}.{command}", str(overrides)
