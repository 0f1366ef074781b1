"""What this release changes in a project that an earlier one made."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.starter.files import deployed_files

if TYPE_CHECKING:
    from pathlib import Path

BASE: Final = ".lanework-base"
"""
Where a project keeps the deployed files as Lanework wrote them.

Compared with these, the project's own changes are not taken for ours; a patch brings both up to date.
"""


def difference(project: Path) -> str:
    """
    Return a patch, to be applied with `patch -p1`: what Lanework changed since the project's base; empty if nothing.

    Raises:
        ConfigError: The project has no base to compare with.
    """
    if not (project / BASE / "template.yaml").is_file():
        msg = f"{project} has no {BASE}/template.yaml to compare with: `lanework init` writes it, to be kept in git"
        raise ConfigError(msg)
    return "".join(
        _patch(_read(project / BASE / path), new, place)
        for path, new in deployed_files().items()
        for place in (path, f"{BASE}/{path}")
    )


def _patch(old: str, new: str, place: str) -> str:
    """Return the unified difference of a file, to be applied in one of the two places where it lies."""
    before = f"a/{place}" if old else "/dev/null"
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), before, f"b/{place}")
    return "".join(lines)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
