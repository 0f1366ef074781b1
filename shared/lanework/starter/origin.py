"""Where a project's deployed files come from: the release, the choices that they were made of, and what is changed."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.local.project import TEMPLATE
from lanework.starter.event_sources import sources_in
from lanework.starter.merge import as_unix
from lanework.starter.product import differences, product_of
from lanework.starter.schedules import schedules_in
from lanework.starter.upgrade import BASE, as_written, changed_by_hand, is_behind, release_of, unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.local.project import Project

_SHOWN: Final = 5


def refuse_conflicts(project: Project) -> None:
    """Refuse, with ConfigError, deployed files that hold a conflict of an upgrade which nobody has resolved."""
    marked = unresolved(project.folder)
    if marked:
        msg = (
            f"{', '.join(marked)}: a conflict of an upgrade is open; look for <<<<<<<, resolve it, and say "
            "`lanework upgrade` again"
        )
        raise ConfigError(msg)


def origin(project: Project) -> Iterator[str]:
    """Yield lines that say which release a project's deployed files are of, and how they differ from what it made."""
    if not _is_made(project):
        return
    release = release_of(project.folder)
    named = "a release that isn't noted" if release is None else f"Lanework {release}"
    yield f"{TEMPLATE} and its neighbours are of {named}"
    lag = behind(project)
    if lag is not None:
        yield lag
    changed = [_part(project, path) for path in changed_by_hand(project.folder)]
    if changed:
        yield f"changed by hand, and kept by an upgrade: {', '.join(changed)}"


def behind(project: Project) -> str | None:
    """Return a line that says why an upgrade would change a project's deployed files; None if it wouldn't."""
    written = as_written(project.folder, TEMPLATE)
    made = product_of(project.root, project.config, schedules=schedules_in(written), sources=sources_in(written))
    if not _is_made(project) or not is_behind(project.folder, made):
        return None
    if release_of(project.folder) == version("lanework"):
        return f"[tool.lanework] or its resources have changed since {TEMPLATE} was made: lanework upgrade"
    return f"Lanework {version('lanework')} makes another {TEMPLATE}, or another file beside it: lanework upgrade"


def _is_made(project: Project) -> bool:
    return (project.folder / BASE).is_dir()


def _part(project: Project, path: str) -> str:
    if path != TEMPLATE:
        return path
    mine = as_unix(project.template.read_bytes()).decode(errors="replace")
    parts = differences(mine, as_written(project.folder, path))
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return f"{path} ({', '.join(parts[:_SHOWN])}{more})"
