"""Which stack a command is for: `--stack`, `--region` and `--profile`, on every command that talks to one."""

from __future__ import annotations

import inspect
import os
import re
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lanework.cli.options import options_of, with_signature
from lanework.errors import ConfigError, InvalidOptionError
from lanework.settings import STACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.embedded import StackHandle

_NO_STACK: Final = frozenset(
    {"init", "upgrade", "test", "check", "demo", "dev", "env", "schema", "token", "probe", "terraform"}
)
"""Commands that talk to no stack, or start their own, or make what they need."""

REGION: Final = r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}"

_NAMED: Final = "LANEWORK_NAMED_STACK"
"""Tells a worker's processes that the command line has named the stack, which a variable of the shell hasn't."""


def text_option(what: str, pattern: str, example: str) -> Any:  # noqa: ANN401 - as typer has it
    """Return an option whose value matches a pattern, such as the example."""

    def checked(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            msg = f"{text[:60]!r} can't be one; write it as {example}"
            raise typer.BadParameter(msg)
        return text

    return typer.Option(parser=checked, metavar="NAME", help=what, rich_help_panel="Which stack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    What a command line says of the stack; None: nothing.

    Attributes:
        stack: Its name.
        region: Its region.
        profile: The AWS profile to reach it with.
    """

    stack: Annotated[
        str | None,
        text_option(
            "The stack; the default is the embedded one while it runs, else LANEWORK_STACK.", STACK, "shop-prod"
        ),
    ] = None
    region: Annotated[
        str | None, text_option("Its AWS region; the default is AWS_REGION, else the profile's.", REGION, "eu-west-1")
    ] = None
    profile: Annotated[
        str | None,
        text_option("The AWS profile whose credentials are used, not the environment's.", r".+", "shop-admin"),
    ] = None

    def is_embedded(self, running: StackHandle | None) -> bool:
        """
        Tell whether the embedded stack is meant that runs here, if one does.

        Raises:
            InvalidOptionError: It runs, no other stack is named, and yet there is a region or a profile of AWS.
        """
        if running is None or self.stack not in (None, running.stack):
            return False
        if self.region or self.profile:
            option = "--region" if self.region else "--profile"
            msg = f"{option} is for a stack on AWS, and the embedded one runs in this folder: name the other by --stack"
            raise InvalidOptionError(msg)
        return True

    def enter(self) -> None:
        """
        Let this process's environment name the stack; what the command line doesn't say stays as it is.

        Raises:
            ConfigError: There is no such profile.
        """
        if self.stack is not None:
            os.environ |= {"LANEWORK_STACK": self.stack, _NAMED: self.stack}
        if self.region is not None:
            os.environ |= {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        if self.profile is not None:
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
                os.environ.pop(name, None)
            os.environ["AWS_PROFILE"] = self.profile
            region = _region_of(self.profile)
            if region is not None and not os.environ.get("AWS_REGION"):
                os.environ["AWS_REGION"] = region


def target() -> Target:
    """Return what this process's command line says, or said in the process that started this one."""
    return _SAID.get() or Target(stack=os.environ.get(_NAMED))


def add_options(group: typer.Typer) -> None:
    """Give the options to every command of a group, and of the groups in it, that talks to a stack."""
    for info in group.registered_commands:
        if info.name not in _NO_STACK and info.callback is not None:
            info.callback = _with_target(info.callback)
    for one in group.registered_groups:
        if one.typer_instance is not None and one.typer_instance.info.name not in _NO_STACK:
            add_options(one.typer_instance)


_SAID: Final = ContextVar[Target | None]("lanework_target", default=None)


def _with_target(command: Callable[..., None]) -> Callable[..., None]:
    own = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for one in inspect.signature(command, eval_str=True).parameters.values()
    ]
    options = options_of(Target)

    @wraps(command)
    def at_target(**values: Any) -> None:  # noqa: ANN401 - whatever the command takes
        said, before = Target(**{one.name: values.pop(one.name) for one in options}), dict(os.environ)
        token = _SAID.set(said)
        try:
            command(**values)
        finally:
            _SAID.reset(token)
            if said != Target():  # what it has entered is this command's alone
                os.environ.clear()
                os.environ.update(before)

    return with_signature(at_target, [*own, *options])


def _region_of(profile: str) -> str | None:
    from boto3.session import Session  # noqa: PLC0415 - heavy, and for who names a profile
    from botocore.exceptions import ProfileNotFound  # noqa: PLC0415 - as above

    try:
        return Session(profile_name=profile).region_name
    except ProfileNotFound as error:
        raise ConfigError(str(error)) from None
