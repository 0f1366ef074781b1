"""Writes a new project, into a folder that holds nothing of anybody's."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from lanework.errors import ConfigError
from lanework.local.project_config import ProjectConfig
from lanework.starter.files import name_for, project_files
from lanework.starter.product import product_of
from lanework.starter.upgrade import BASE, RELEASE

SHOWN = 3
"""How many names of what is in the way are said."""


def is_free(folder: Path) -> bool:
    """Tell whether a folder holds nothing of anybody's: hidden files and a virtual environment may be there."""
    return not any(not (one.name.startswith(".") or (one / "pyvenv.cfg").is_file()) for one in folder.iterdir())


def make_project(folder: Path) -> list[str]:
    """
    Write the files of a new project; return their paths, the folder's own name is the project's.

    Hidden files and a virtual environment may be there already.

    Raises:
        ConfigError: Something else is there, or a file that would be overwritten.
    """
    made = product_of(folder, ProjectConfig(), schedules="")
    files = {**project_files(name_for(folder.resolve())), **made}
    _refuse_what_is_in_the_way(folder, files)
    base = {f"{BASE}/{path}": content for path, content in made.items()}
    base[RELEASE] = f"{version('lanework')}\n"
    for path, content in {**files, **base}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8", newline="\n")
    return sorted(files)


def _refuse_what_is_in_the_way(folder: Path, files: dict[str, str]) -> None:
    written = {Path(path).parts[0] for path in files} | {BASE, RELEASE}
    found = sorted(
        one.name
        for one in folder.iterdir()
        if one.name in written or not (one.name.startswith(".") or (one / "pyvenv.cfg").is_file())
    )
    if not found:
        return
    more = len(found) - SHOWN
    named = ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    msg = f"lanework init needs an empty folder, and {folder.resolve().name} holds {named}; try: mkdir shop && cd shop"
    raise ConfigError(msg)
