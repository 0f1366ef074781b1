"""Which stack the command talks to, and which application's code it knows."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.app import App
from lanework.aws.clients import Clients
from lanework.aws.deployed.stack import Look, find_stack
from lanework.cli.env import say_environment
from lanework.cli.output import say
from lanework.cli.target import target
from lanework.embedded import running_in
from lanework.errors import ConfigError, StackError
from lanework.local.application import load_app
from lanework.local.clients import Clients as LocalClients
from lanework.local.environment import adopt, local_environment
from lanework.local.project import Project, find_project
from lanework.local.stack.producer_env import enter
from lanework.settings import Settings
from lanework.wiring import aws_ports, utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence


def project_here() -> Project | None:
    """Return the project that the working directory lies in, if it does."""
    try:
        return find_project(Path.cwd())
    except StackError:
        return None


def connected(*, changes: bool = False) -> App:
    """
    Return an application without job types, connected to the stack: enough to look at jobs.

    The project's embedded stack if it runs, else what the options, `LANEWORK_STACK` and the AWS variables name.

    Args:
        changes: What follows changes the stack, whose name is said first.

    Raises:
        ConfigError: Neither is there.
    """
    app = App()
    app.use(aws_ports(enter_stack(project_here(), changes=changes)))
    return app


def application(*, changes: bool = False) -> App:
    """
    Return the project's own application, connected to the stack as in `connected`.

    Args:
        changes: As in `connected`.

    Raises:
        ConfigError: There is no stack, or the application can't be imported.
        StackError: The working directory lies in no project.
    """
    project = find_project(Path.cwd())
    settings = enter_stack(project, changes=changes)
    app = load_app(project)
    app.use(aws_ports(settings))
    return app


def informed(*names: str | None, changes: bool = False) -> App:
    """
    Return the project's own application where names, if any are given, can be checked by it; else as `connected`.

    Elsewhere than in a project, what the stack's table says is enough.
    """
    is_needed = not names or any(name is not None for name in names)
    connect = application if is_needed and project_here() is not None else connected
    return connect(changes=changes)


def signing_keys() -> Sequence[bytes]:
    """
    Return the keys that the stack signs webhooks with: the environment's, else those that the stack was deployed with.

    Raises:
        ConfigError: There are none, or they can't be read.
    """
    settings = enter_stack(project_here())
    if settings.webhook_secret is None and settings.webhook_secret_parameter is None:
        settings = settings.model_copy(update={"webhook_secret_parameter": _secret_parameter(settings)})
    return aws_ports(settings).webhooks.secrets()


def _secret_parameter(settings: Settings) -> str | None:
    with suppress(ConfigError):  # no stack of CloudFormation's, or nobody may ask: there is no secret, which is said
        stack = find_stack(settings, Look(Clients(settings)), clock=utc_now)
        return stack.parameters.get("WebhookSecretParameter") or None
    return None


def enter_stack(project: Project | None, *, changes: bool = False, says_env_file: bool = False) -> Settings:
    """
    Let this process's environment name the stack that is meant, and return what it says.

    Args:
        project: The project whose embedded stack may run, if there is one.
        changes: What follows changes the stack, whose name is said first.
        says_env_file: Say what `.env` adds, which counts for the embedded stack alone.

    Raises:
        ConfigError: None is named, and no embedded stack runs; or there is no such profile; or `.env` can't be read.
        InvalidOptionError: The options don't go together.
    """
    running = None if project is None else running_in(project.root)
    named = target()
    if project is None or running is None or not named.is_embedded(running):
        named.enter()
        if project is not None:
            os.environ.setdefault("LANEWORK_LANES", ",".join(project.config.lanes))
    else:
        own = (say_environment if says_env_file else local_environment)(project)
        other = os.environ.get("LANEWORK_STACK")
        if other not in (None, "", running.stack):
            say(f"using the embedded stack at {running.endpoint}; --stack {other} reaches the one in LANEWORK_STACK")
        enter(running, LocalClients(endpoint=running.endpoint, region=running.region))
        adopt(own)
    settings = Settings.from_env()
    if changes:
        at = "" if settings.endpoint is None else f", at {settings.endpoint}"
        say(f"stack {settings.stack} in {settings.region}{at}")
    return settings
