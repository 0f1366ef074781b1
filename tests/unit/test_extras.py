"""The package's extras: what a project takes into its own environment, and what into the emulator's."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

PROJECT: dict[str, Any] = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]


def test_a_projects_own_environment_does_not_get_the_emulator_and_its_pins() -> None:
    assert not any("ministack" in one for one in [*PROJECT["project"]["dependencies"], *EXTRAS["local"]])


def test_this_repository_runs_the_emulator_that_projects_get() -> None:
    (emulator,) = (one for one in EXTRAS["emulator"] if one.startswith("ministack"))

    assert emulator in PROJECT["dependency-groups"]["dev"]
    assert "==" in emulator
