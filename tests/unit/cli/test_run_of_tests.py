"""`lanework test`, where there is nothing to run tests with."""

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
