"""What is asked before many jobs of a production stack change: its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from lanework.cli.output import confirm
from lanework.cli.target import target
from lanework.errors import ConfigError, NotConfirmedError, UnavailableError
from lanework.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

TAG: Final = "lanework:production"
"""Tag of a stack that is one of production, with the value `true`: `sam deploy --tags`, or `tags` in samconfig.toml."""


def confirm_change(question: str, *, yes: bool) -> None:
    """
    Ask before something that can't be undone; of a production stack, for its name.

    Args:
        question: Ends in a question mark.
        yes: `--yes` was given: don't ask. Of a production stack it counts only beside `--stack`, which names it.

    Raises:
        NotConfirmedError: The answer was no, or another name, or nobody can answer.
    """
    if not confirm_in_production(question, yes=yes):
        confirm(question, yes=yes)


def confirm_in_production(question: str, *, yes: bool) -> bool:
    """
    Ask for the name of a production stack, and nothing of another one.

    Returns:
        Whether it is one. Arguments and errors as in `confirm_change`.
    """
    settings = Settings.from_env()
    if not _is_production(settings):
        return False
    if not yes or target().stack != settings.stack:
        _ask_for(settings.stack, question)
    return True


def _ask_for(name: str, question: str) -> None:
    try:
        given = typer.prompt(f"{question} {name} is a production stack: type its name to go on", err=True)
    except typer.Abort:
        msg = f"nobody answered, and nothing was changed; --stack {name} --yes goes ahead without asking"
        raise NotConfirmedError(msg) from None
    if given.strip() != name:
        msg = f"nothing was changed: {given.strip()!r} is not the stack's name"
        raise NotConfirmedError(msg)


def _is_production(settings: Settings) -> bool:
    """Tell whether a stack has the tag. One on AWS whose tags can't be read may have it, one of an emulator hasn't."""
    from lanework.aws.deployed.stack import tags_of  # noqa: PLC0415 - boto, and heavy

    try:
        tags: Mapping[str, str] = tags_of(settings)
    except (ConfigError, UnavailableError):  # nobody may ask, or CloudFormation is away, in an incident of AWS's
        return settings.endpoint is None
    return tags.get(TAG) == "true"
