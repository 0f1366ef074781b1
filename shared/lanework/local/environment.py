"""The environment of an application's own code on this machine: the shell's, and what `.env` adds to it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanework.local.env_file import NAME as ENV_FILE
from lanework.local.env_file import read_env_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.local.project import Project

_TAKEN: Final = ("LANEWORK_", "AWS_", "LAMBDA_")
"""How names begin to which Lambda or Lanework gives a meaning."""

_OF_THE_PROCESS: Final = frozenset({"PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"})
"""Names that decide how a function's process starts."""


def is_taken(name: str) -> bool:
    """Tell whether a name has a meaning already, so that an application can't give it one."""
    return name.upper().startswith(_TAKEN) or name.startswith("_") or name in _OF_THE_PROCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEnvironment:
    """
    What an application's own code has in its environment on this machine, beside what template.yaml says.

    Attributes:
        values: By name; what the shell sets counts more than `.env`.
        taken: Names in `.env` that are left out, as they would lead elsewhere than to the embedded stack.
    """

    values: Mapping[str, str]
    taken: tuple[str, ...]

    def said(self) -> str | None:
        """Return what a command says of it: names only, no value. None if there is no `.env`."""
        if not self.values and not self.taken:
            return None
        left = f"; {', '.join(self.taken)} in it: not for the embedded stack, left out" if self.taken else ""
        return f"{ENV_FILE}: {', '.join(sorted(self.values)) or 'nothing'}{left}"


def local_environment(project: Project) -> LocalEnvironment:
    """
    Return the environment of a project's code on this machine.

    Raises:
        ConfigError: `.env` can't be read.
    """
    written = read_env_file(project.root)
    return LocalEnvironment(
        values={name: os.environ.get(name, value) for name, value in written.items() if not is_taken(name)},
        taken=tuple(sorted(name for name in written if is_taken(name))),
    )


def adopt(environment: LocalEnvironment) -> None:
    """Let this process have the environment, too: it is about to import the application."""
    os.environ.update(environment.values)
