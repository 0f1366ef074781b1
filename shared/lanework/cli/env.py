"""The command `lanework env`, and what commands say of a project's `.env`."""

from __future__ import annotations

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from lanework.cli.options import word_option
from lanework.cli.output import say
from lanework.embedded import running_at
from lanework.errors import StackError
from lanework.local.clients import Clients
from lanework.local.environment import local_environment
from lanework.local.stack.producer_env import environment_of, users_of_aws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanework.local.environment import LocalEnvironment
    from lanework.local.project import Project


class Format(StrEnum):
    """How variables are written."""

    SH = "sh"
    DOTENV = "dotenv"
    JSON = "json"


def env(
    format_: Annotated[
        Format, word_option(Format, "sh, dotenv for a file that other tools read, or json.", "--format")
    ] = Format.SH,
) -> None:
    """
    Print the environment variables with which a program of yours is a producer of the running embedded stack.

    Example: eval "$(lanework env)" && python -m shop.web
    """
    running = running_at(Path.cwd())
    if running is None:
        msg = "no embedded stack runs in this folder or above: start it with `lanework dev`"
        raise StackError(msg)
    variables = environment_of(running, Clients(endpoint=running.endpoint, region=running.region))
    away = {*users_of_aws(), "AWS_PROFILE", "AWS_SESSION_TOKEN"} - {*variables}
    sys.stdout.write(text_of(variables, format_, drop=sorted(away)))


def text_of(variables: Mapping[str, str], format_: Format, *, drop: Sequence[str] = ()) -> str:
    """Return variables as text; a shell also drops those that `drop` names."""
    in_order = sorted(variables.items())
    match format_:
        case Format.SH:
            unset = [f"unset {' '.join(drop)}"] if drop else []
            lines = [*unset, *(f"export {name}={shlex.quote(value)}" for name, value in in_order)]
        case Format.DOTENV:
            lines = [f"{name}='{_escaped(value)}'" for name, value in in_order]
        case Format.JSON:
            lines = [json.dumps(variables, ensure_ascii=False, indent=2)]
    return "".join(f"{line}\n" for line in lines)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def say_environment(project: Project) -> LocalEnvironment:
    """Return the environment of a project's code on this machine, saying what `.env` adds to it."""
    own = local_environment(project)
    said = own.said()
    if said is not None:
        say(said)
    return own
