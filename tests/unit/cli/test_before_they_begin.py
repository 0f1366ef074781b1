"""What commands of a project say before they begin, where they can't."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from lanework.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


def test_without_pytest_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It said `No module named pytest`, of whichever Python."""
    (tmp_path / "pyproject.toml").write_text("[tool.lanework]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pytest", None)

    with pytest.raises(SystemExit):
        main(["test"])

    assert capsys.readouterr().err == "lanework: running a project's tests needs pytest; try: pip install pytest\n"


def test_a_demo_without_a_scenario_says_so_before_it_starts_a_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It deployed for ten seconds, and then said what pyproject.toml lacks."""
    (tmp_path / "pyproject.toml").write_text("[tool.lanework]\n")
    (tmp_path / "template.yaml").touch()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit):
        main(["demo"])

    said = capsys.readouterr().err
    assert said.startswith(f"lanework: {tmp_path}/pyproject.toml must say, under [tool.lanework], demo = ")
    assert len(said.splitlines()) == 1
