"""What samconfig.toml must not say of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lanework.errors import ConfigError
from lanework.local.deployment.samconfig import FILE, examine_samconfig

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "overrides",
    [
        '"Runtime=python3.11 LogLevel=DEBUG"',
        '["LogLevel=DEBUG", "Runtime=python3.11"]',
        '"ParameterKey=Runtime,ParameterValue=python3.11"',
    ],
)
@pytest.mark.parametrize("command", ["build", "global"])
def test_a_runtime_for_a_bare_sam_build_is_found_with_what_to_type(
    tmp_path: Path, overrides: str, command: str
) -> None:
    (tmp_path / FILE).write_text(f"version = 0.1\n[dev.{command}.parameters]\nparameter_overrides = {overrides}\n")

    (found,) = examine_samconfig(tmp_path)

    assert found.about == f"[dev.{command}.parameters]"
    assert found.what == "samconfig.toml says Runtime=python3.11 for sam build"
    assert found.todo == "take it out of samconfig.toml, and build by: make build RUNTIME=python3.11"


def test_what_a_deployment_says_is_held_to_what_was_built_by_the_deployment(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[dev.deploy.parameters]\nparameter_overrides = "Architecture=x86_64"\n')

    assert examine_samconfig(tmp_path) == []
    assert examine_samconfig(tmp_path / "none") == []


def test_a_samconfig_that_is_no_toml_is_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("[")

    with pytest.raises(ConfigError, match=r"can't read .*samconfig\.toml: "):
        examine_samconfig(tmp_path)


@pytest.mark.parametrize("overrides", ["7", "[7]", '"LogLevel=\'DEBUG"'])
def test_overrides_that_are_no_texts_or_end_within_a_quotation_are_one_line(tmp_path: Path, overrides: str) -> None:
    (tmp_path / FILE).write_text(f"[dev.deploy.parameters]\nparameter_overrides = {overrides}\n")

    with pytest.raises(
        ConfigError, match=r"parameter_overrides of \[dev\.deploy\.parameters\] in .*samconfig\.toml must be"
    ):
        examine_samconfig(tmp_path)
