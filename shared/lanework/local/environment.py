"""The environment of an application's own code on this machine: the shell's, `.env`'s, and what pyproject.toml says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.local.env_file import NAME as ENV_FILE
from lanework.local.env_file import read_env_file
from lanework.local.environment_table import filled_in, is_taken, references_in
from lanework.local.project_config import FILE, read_config
from lanework.references import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.local.project import Project

_EMBEDDED: Final = {"AWS::StackName": "lanework", "AWS::Region": "us-east-1", "AWS::AccountId": "000000000000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEnvironment:
    """
    What an application's own code has in its environment on this machine, beside what template.yaml says.

    Attributes:
        values: By name. What the shell sets counts more than `.env`, and that more than pyproject.toml.
        read: Names in `.env` that are used.
        taken: Names in `.env` that are left out, as they would lead elsewhere than to the embedded stack.
        unanswered: References for which neither the shell nor `.env` has a value, by their variable.
    """

    values: Mapping[str, str]
    read: tuple[str, ...]
    taken: tuple[str, ...]
    unanswered: Mapping[str, str]

    def said(self) -> str | None:
        """Return what a command says of `.env`: names only, no value. None if there is none."""
        if not self.read and not self.taken:
            return None
        left = f"; {', '.join(self.taken)} in it: not for the embedded stack, left out" if self.taken else ""
        return f"{ENV_FILE}: {', '.join(self.read) or 'nothing'}{left}"

    def complete(self) -> Mapping[str, str]:
        """
        Return the values.

        Raises:
            ConfigError: A reference has none here; the message says what to write.
        """
        if self.unanswered:
            refer = ", ".join(f"{name} refers to {text}" for name, text in self.unanswered.items())
            lines = " ".join(f"{name}=…" for name in self.unanswered)
            msg = f"{refer}: put {lines} into {ENV_FILE} for the embedded stack"
            raise ConfigError(msg)
        return self.values


def local_environment(project: Project) -> LocalEnvironment:
    """
    Return the environment of a project's code on this machine.

    Raises:
        ConfigError: `.env` or pyproject.toml can't be read.
    """
    config = read_config(project.root / FILE) or project.config  # `lanework dev` reads it again after a change
    written, declared = read_env_file(project.root), config.environment
    references = references_in(declared)
    plain = {name: filled_in(value, _EMBEDDED) for name, value in declared.items() if name not in references}
    usable = {name: value for name, value in written.items() if not is_taken(name)}
    known = {**plain, **usable, **{name: os.environ[name] for name in references if name in os.environ}}
    answered = {NAMES: ""} if references else {}  # nothing is left to be looked up
    return LocalEnvironment(
        values={name: os.environ.get(name, value) for name, value in known.items()} | answered,
        read=tuple(sorted(usable)),
        taken=tuple(sorted({*written} - {*usable})),
        unanswered={name: value for name, value in references.items() if name not in known},
    )


def adopt(environment: LocalEnvironment) -> None:
    """Let this process have the environment, too: it is about to import the application."""
    os.environ.update(environment.values)
