"""Merging three files, as git does: what the project has, what Lanework wrote, and what it would write now."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lanework.errors import ConfigError

_MARKER: Final = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
_ANY_MARKER: Final = re.compile(rb"^(?:<{7}|\|{7}|={7}|>{7})(?: .*)?$", re.MULTILINE)
_MOST_CONFLICTS: Final = 127
"""What `git merge-file` exits with for so many conflicts or more; above it is an error."""


@dataclass(frozen=True, slots=True)
class Merged:
    """
    What a merge made.

    Attributes:
        content: All of it; conflicts are marked as git marks them.
        conflicts: How many there are.
    """

    content: bytes
    conflicts: int


def is_marked(content: bytes) -> bool:
    """Tell whether a file holds a conflict that nobody has resolved."""
    return _MARKER.search(content) is not None


def markers_left(content: bytes, before: bytes) -> bool:
    """Tell whether a file holds a line that a conflict leaves and that it didn't hold before, `=======` included."""
    return bool(Counter(_ANY_MARKER.findall(as_unix(content))) - Counter(_ANY_MARKER.findall(as_unix(before))))


def as_unix(content: bytes) -> bytes:
    """Return a text with the line ends that Lanework writes."""
    return content.replace(b"\r\n", b"\n")


def with_ends_of(mine: bytes, content: bytes) -> bytes:
    """Return a text with the line ends that most lines of a file have."""
    return as_unix(content).replace(b"\n", b"\r\n") if _has_windows_ends(mine) else content


def merge(mine: bytes, base: bytes, new: bytes, *, release: str, keep_mine: bool = False) -> Merged | None:
    """
    Merge what changed from `base` to `new` into `mine`.

    Args:
        mine: What the project has.
        base: What an earlier release wrote.
        new: What this one writes.
        release: This one, as a conflict's marker names it.
        keep_mine: Where both changed, take what the project has, and mark nothing.

    Returns:
        What came of it, with the line ends that most of the project's lines have; None if it can't be merged,
        since it is no text.

    Raises:
        ConfigError: There is no git.
    """
    git = shutil.which("git")
    if git is None:
        msg = "lanework upgrade merges with `git merge-file`, and git is not installed; nothing was changed"
        raise ConfigError(msg)
    with TemporaryDirectory() as folder:
        contents = {"mine": as_unix(mine), "base": as_unix(base), "new": as_unix(new)}
        for name, content in contents.items():
            Path(folder, name).write_bytes(content)
        labels = ("-L", "yours", "-L", "before", "-L", f"lanework {release}")
        command = [git, "merge-file", "-p", "-q", *(["--ours"] if keep_mine else []), *labels, *contents]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603 - git, found above
    if not 0 <= done.returncode <= _MOST_CONFLICTS:
        return None
    return Merged(with_ends_of(mine, done.stdout), done.returncode)


def _has_windows_ends(content: bytes) -> bool:
    return 2 * content.count(b"\r\n") > content.count(b"\n")
