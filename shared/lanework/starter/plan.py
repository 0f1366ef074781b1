"""What `lanework init` is about to write, so that it can be shown before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What is to be written into a folder.

    Attributes:
        new: The content of files that aren't there yet, by path.
        changed: What files that are there hold afterwards, by path.
        added: What is added to each of these, as its user reads it.
    """

    new: dict[str, str]
    changed: dict[str, str] = field(default_factory=dict)
    added: dict[str, str] = field(default_factory=dict)

    def carry_out(self, root: Path) -> None:
        """Write all of it."""
        for path, content in {**self.new, **self.changed}.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8", newline="\n")


def lines_to_ignore(root: Path, wanted: Iterable[str]) -> str:
    """Return the lines that a folder's .gitignore lacks."""
    file = root / ".gitignore"
    there = {*file.read_text(encoding="utf-8", errors="replace").split()} if file.is_file() else set()
    return "".join(f"{one}\n" for one in wanted if there.isdisjoint({one, one.rstrip("/"), f"/{one}"}))


def appended(file: Path, text: str, *, gap: str = "") -> str:
    """Return what a file holds with a text below, and the gap between them."""
    there = file.read_text(encoding="utf-8")
    end = "" if not there or there.endswith("\n") else "\n"
    return f"{there}{end}{gap if there else ''}{text}"
