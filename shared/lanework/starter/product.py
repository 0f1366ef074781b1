"""The files that bring a project to AWS, as this release makes them of the project's choices."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.local.project import TEMPLATE
from lanework.local.project_config import FILE
from lanework.model.lanes import ALL_LANES
from lanework.starter.environment_block import with_environment
from lanework.starter.event_sources import with_sources
from lanework.starter.files import deployed_files
from lanework.starter.gradual import with_deployment
from lanework.starter.leave_out import without_lanes
from lanework.starter.own_resources import with_resources
from lanework.starter.schedules import with_schedules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lanework.local.project_config import ProjectConfig

_HEADER: Final = """\
# Made by Lanework {release} from {sources}: change that, and type
# `lanework upgrade`, which makes this anew. What is changed here by hand stays: it is merged with what becomes of that.
"""


def product_of(root: Path, config: ProjectConfig, *, schedules: str, sources: str = "") -> dict[str, str]:
    """
    Return what each file holds that brings a project to AWS.

    Args:
        root: The folder of its pyproject.toml.
        config: What that says.
        schedules: The clock's events for what job types declare, as YAML; empty: none.
        sources: The resources of sources of events, likewise.

    Raises:
        ConfigError: Its own resources can't be read, or don't go together with Lanework's.
    """
    made = deployed_files(config.app)
    text = without_lanes(made[TEMPLATE], [lane for lane in ALL_LANES if lane not in config.lanes])
    text = re.sub(r"(?<= LANEWORK_LANES: ).*", ",".join(config.lanes), text)
    text = with_schedules(with_environment(text, config.environment), schedules)
    if config.deployment is not None:
        text = with_deployment(text, config.deployment)
    text = with_sources(text, sources)
    made_of = f"[tool.lanework] in {FILE}"
    if config.resources is not None:
        text = with_resources(text, _read(root, config.resources), file=config.resources)
        made_of += f" and {config.resources}"
    return {**made, TEMPLATE: _HEADER.format(release=version("lanework"), sources=made_of) + text}


def _read(root: Path, resources: str) -> str:
    try:
        return (root / resources).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        msg = f"[tool.lanework] resources in {root / FILE} names {resources!r}, which can't be read: {error}"
        raise ConfigError(msg) from error


def differences(mine: str, made: str) -> list[str]:
    """Return which parts of two templates differ, as `Resources/LowWorker`: changed, added and removed ones."""
    theirs, ours = parts(mine), parts(made)
    return [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]


def parts(text: str) -> Mapping[str, str]:
    """Return the parts of a template by their names, `Resources/LowWorker` or `Description`, each with its comments."""
    found: dict[str, str] = {}
    section = name = comments = ""
    for line in text.splitlines():
        if re.match(r" {0,2}#", line):
            comments += f"{line}\n"
            continue
        if heading := re.match(r"(\w+):", line):
            section = name = heading[1]
        elif entry := re.match(r"  (\w+):", line):
            name = f"{section}/{entry[1]}"
        if line:
            found[name] = f"{found.get(name, '')}{comments}{line}\n"
            comments = ""
    return found
