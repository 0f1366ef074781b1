"""What samconfig.toml says to `sam build` and to `sam deploy`, and what neither of them looks at."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import TYPE_CHECKING, Any, Final, cast

from lanework.doctor.case import Finding
from lanework.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE: Final = "samconfig.toml"
_OF_BUILD: Final = ("build", "global")
"""The commands of which `sam build` takes the parameters."""

_OF_DEPLOY: Final = ("global", "deploy")
"""Those of which `sam deploy` does, the weaker first."""

_BUILT_FOR: Final = ("Runtime", "Architecture")

_PAIR: Final = re.compile(r"(?:ParameterKey=)?(\w+)(?:,ParameterValue)?=(.*)", re.DOTALL)


def examine_samconfig(folder: Path) -> list[Finding]:
    """
    Return a finding for each section that lets a bare `sam build` name a runtime for which no layer is built.

    Raises:
        ConfigError: The file can't be read.
    """
    return [
        Finding(
            rule="samconfig",
            about=f"[{environment}.{command}.parameters]",
            what=f"{FILE} says {name}={value} for sam build",
            why="the layer is built for what template.yaml says, and the functions would be declared for another one",
            todo=f"take it out of {FILE}, and build by: make build {name.upper()}={value}",
        )
        for environment, command, overrides in _sections(folder)
        if command in _OF_BUILD
        for name, value in overrides.items()
        if name in _BUILT_FOR
    ]


def deployed_parameters(folder: Path) -> dict[str, dict[str, str]]:
    """
    Return what each environment of samconfig.toml gives to the template's parameters, by `sam deploy`.

    Raises:
        ConfigError: The file can't be read.
    """
    sections = {(environment, command): overrides for environment, command, overrides in _sections(folder)}
    return {
        environment: {name: one for of in _OF_DEPLOY for name, one in sections.get((environment, of), {}).items()}
        for environment in dict.fromkeys(environment for environment, command in sections if command in _OF_DEPLOY)
    }


def _sections(folder: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield environment, command and overrides of each section that has some."""
    for environment, commands in _read(folder / FILE).items():
        for command, settings in commands.items() if isinstance(commands, dict) else ():
            match settings:
                case {"parameters": {"parameter_overrides": overrides}}:
                    yield (
                        environment,
                        command,
                        _pairs(overrides, f"[{environment}.{command}.parameters] in {folder / FILE}"),
                    )


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, ValueError) as error:
        msg = f"can't read {file}: {error}"
        raise ConfigError(msg) from error


def _pairs(overrides: object, where: str) -> dict[str, str]:
    """Return overrides in any of the SAM CLI's spellings: a table, a list, or a text."""
    if isinstance(overrides, dict):
        return {name: str(one) for name, one in overrides.items()}
    texts = [overrides] if isinstance(overrides, str) else overrides
    try:
        words = [word for text in cast("list[str]", texts) for word in shlex.split(text)]
    except (AttributeError, TypeError, ValueError) as error:
        msg = f'parameter_overrides of {where} must be a list of texts such as "LogLevel=DEBUG": {error}'
        raise ConfigError(msg) from None
    found = (_PAIR.fullmatch(word) for word in words)
    return {one[1]: one[2] for one in found if one is not None}
