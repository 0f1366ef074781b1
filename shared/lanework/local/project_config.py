"""`[tool.lanework]` in a project's pyproject.toml, checked as a whole when it is read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from lanework.errors import ConfigError, UnknownLaneError, did_you_mean, shown
from lanework.local.deployment.layer_files import SRC
from lanework.local.environment_table import TABLE, check_variables
from lanework.model.lanes import ALL_LANES, Lane, lanes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

FILE: Final = "pyproject.toml"

ENTRY: Final = r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*$"

Entry = Annotated[str, Field(pattern=ENTRY)]
"""Something in a module, `shop.tasks:app`."""

Deployment = Literal[
    "AllAtOnce",
    "Canary10Percent5Minutes",
    "Canary10Percent10Minutes",
    "Canary10Percent15Minutes",
    "Canary10Percent30Minutes",
    "Linear10PercentEvery1Minute",
    "Linear10PercentEvery2Minutes",
    "Linear10PercentEvery3Minutes",
    "Linear10PercentEvery10Minutes",
]
"""CodeDeploy's own configurations for Lambda, without `CodeDeployDefault.Lambda` before them."""


def _lanes(named: object) -> object:
    try:
        return lanes_of(named) if named and isinstance(named, (list, tuple)) else named
    except UnknownLaneError as error:
        raise ValueError(str(error)) from None


class ProjectConfig(BaseModel):
    """
    What a project says of itself. A field's description is what an error says that it must be.

    Attributes:
        app: The application, as `module:attribute`. The handlers import it from there.
        demo: The function that returns what `lanework demo` enqueues, as `module:attribute`.
        src: What is in the layer and on `sys.path`, relative to pyproject.toml: folders that hold packages and modules,
            or a package by itself.
        folder: Where template.yaml, samconfig.toml, handlers/ and shared/ lie, relative to pyproject.toml.
        environment: Variables of all functions, beside those that template.yaml gives them.
        lanes: The lanes that the stack has; all five by default. What is left out costs nothing.
        resources: The project's own resources, relative to pyproject.toml: they become part of template.yaml.
        deployment: How a deployment shifts the functions to new code, in CodeDeploy's words; None: at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    app: Entry | None = Field(default=None, description='"module:attribute", such as "jobs:app"')
    demo: Entry | None = Field(default=None, description='"module:attribute", such as "jobs.scenario:scenario"')
    src: tuple[str, ...] = Field(
        default=SRC, min_length=1, description='a list of folders or packages, such as ["src"] or ["shop"]'
    )
    folder: str = Field(default=".", description='a folder, such as "infra/lanework"')
    environment: Annotated[dict[str, str], BeforeValidator(check_variables)] = Field(
        default_factory=dict, description="a table of names and texts"
    )
    lanes: Annotated[tuple[Lane, ...], BeforeValidator(_lanes)] = Field(
        default=ALL_LANES, min_length=1, description='a list of lanes, such as ["high", "normal"]'
    )
    resources: str | None = Field(default=None, description='a file, such as "infra/resources.yaml"')
    deployment: Deployment | None = Field(default=None, description=f"one of {', '.join(get_args(Deployment))}")

    @field_validator("src")
    @classmethod
    def _not_the_whole_repository(cls, src: tuple[str, ...]) -> tuple[str, ...]:
        for one in src:
            if not Path(one).parts:
                msg = "that is the whole repository, tests and all"
                raise ValueError(msg)
        return src


def read_config(file: Path) -> ProjectConfig | None:
    """
    Return what a pyproject.toml says under `[tool.lanework]`; None if it has no such table, or there is no file.

    Raises:
        ConfigError: It can't be read, has a key that isn't known, or a value that can't be used.
    """
    try:
        content = file.read_bytes() if file.is_file() else b""
        if b"lanework" not in content:
            return None
        table = tomllib.loads(content.decode()).get("tool", {}).get("lanework")
    except (OSError, ValueError) as error:  # of TOML, or of UTF-8
        msg = f"can't read {file}: {error}"
        raise ConfigError(msg) from error
    return None if table is None else config_of(table, file)


def config_of(table: Mapping[str, Any], file: Path) -> ProjectConfig:
    """
    Return the config that a table holds, which was read from `file`.

    Raises:
        ConfigError: It has a key that isn't known, or a value that can't be used.
    """
    try:
        return ProjectConfig.model_validate(table)
    except ValidationError as error:
        raise ConfigError(_said(error.errors()[0], file)) from None


def _said(problem: ErrorDetails, file: Path) -> str:
    fields = ProjectConfig.model_fields
    if not problem["loc"]:
        return f"[tool.lanework] in {file} must be a table, not {shown(problem['input'])}"
    key = str(problem["loc"][0])
    if key not in fields:
        return f"unknown key {key!r} in [tool.lanework] of {file}{did_you_mean(key, fields)}"
    if key == "environment":
        return f"{TABLE} in {file}: {problem['ctx']['error']}"
    reason = f": {problem['ctx']['error']}" if problem["type"] == "value_error" else ""
    return f"[tool.lanework] {key} in {file} must be {fields[key].description}, not {shown(problem['input'])}{reason}"
