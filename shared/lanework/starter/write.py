"""What makes a whole project, in a folder that holds no code."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from lanework.errors import ConfigError
from lanework.local.project_config import ProjectConfig
from lanework.starter.files import name_for, project_files
from lanework.starter.plan import Plan, appended, lines_to_ignore
from lanework.starter.product import product_of
from lanework.starter.upgrade import BASE, RELEASE

if TYPE_CHECKING:
    from pathlib import Path

GITIGNORE = ".gitignore"
SHOWN = 3
"""How many names of what is in the way are said."""

_BEFORE_CODE = ("readme", "license", "licence", "copying")
"""How the names of files begin that a repository has before it has any code."""


def is_free(folder: Path) -> bool:
    """Tell whether a folder holds no code: hidden files, a README, a licence and a virtual environment may be there."""
    return not _in_the_way(folder)


def new_project(folder: Path) -> Plan:
    """
    Return what makes a project of a folder that `is_free`; the folder's own name is the project's.

    A README that is there stays as it is, and a .gitignore gets the lines that it lacks.

    Raises:
        ConfigError: Something else is there, or a file that would be overwritten.
    """
    made = product_of(folder, ProjectConfig(), schedules="")
    base = {f"{BASE}/{path}": content for path, content in made.items()} | {RELEASE: f"{version('lanework')}\n"}
    files = {**project_files(name_for(folder.resolve())), **made, **base}
    _refuse(folder, sorted({*_in_the_way(folder), *(one for one in (BASE, RELEASE) if (folder / one).exists())}))
    new = {path: text for path, text in files.items() if not (folder / path).exists()}
    if GITIGNORE in new:
        return Plan(new=new)
    lines = lines_to_ignore(folder, files[GITIGNORE].split())
    if not lines:
        return Plan(new=new)
    return Plan(new=new, changed={GITIGNORE: appended(folder / GITIGNORE, lines)}, added={GITIGNORE: lines})


def _in_the_way(folder: Path) -> list[str]:
    return sorted(
        one.name
        for one in folder.iterdir()
        if not one.name.lower().startswith((".", *_BEFORE_CODE))
        if not (one / "pyvenv.cfg").is_file()
    )


def _refuse(folder: Path, found: list[str]) -> None:
    if not found:
        return
    more = len(found) - SHOWN
    named = ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    msg = f"lanework init needs an empty folder, and {folder.resolve().name} holds {named}; try: mkdir shop && cd shop"
    raise ConfigError(msg)
