"""Bringing a project to this release: what Lanework changed since is merged into what the project has."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.starter.files import deployed_files
from lanework.starter.merge import as_unix, is_marked, merge, with_ends_of

if TYPE_CHECKING:
    from pathlib import Path

BASE: Final = ".lanework-base"
"""
Where a project keeps the deployed files as Lanework wrote them.

Compared with these, the project's own changes are not taken for ours.
"""

RELEASE: Final = ".lanework-release"
"""The file that names the release which they are of; not written while a conflict is open."""

_PENDING: Final = "unresolved"
"""The folder in the base for what a file with open conflicts was merged with: its base, once they are resolved."""

_BESIDE: Final = ".lanework-new"
"""How the name of a file ends that is to be merged by hand: no text, for git."""


class Fate(StrEnum):
    """What an upgrade does with a file."""

    NEW = "new"
    UPDATED = "updated"
    MERGED = "merged with your changes"
    CONFLICT = "CONFLICT: your changes and Lanework's meet; look for <<<<<<<"
    BY_HAND = "CONFLICT: can't be merged; Lanework's is beside it, as *.lanework-new: delete that when you are done"
    DELETED = "deleted by you, and left so"
    RETIRED = "no longer Lanework's: yours to keep or to delete"
    OPEN = "CONFLICT: still unresolved, and left as it is"
    RESOLVED = "its conflicts are resolved"


UNDONE: Final = frozenset({Fate.CONFLICT, Fate.BY_HAND, Fate.OPEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    What is to be done with one file.

    Attributes:
        path: The file.
        fate: What becomes of it.
        writes: What to write where; None deletes.
    """

    path: str
    fate: Fate
    writes: dict[str, bytes | None] = field(default_factory=dict)


def upgrade(project: Path, *, files: dict[str, str] | None = None, release: str | None = None) -> list[Step]:
    """
    Return what brings a project to this release; nothing is written yet.

    Args:
        project: Its folder.
        files: What the release deploys, by path; this one's if nobody says.
        release: Its name; this one's.

    Raises:
        ConfigError: The project has no base to compare with; or there is something to merge, and no git.
    """
    if not (project / BASE / "template.yaml").is_file():
        msg = f"{project} has no {BASE}/template.yaml to compare with: `lanework init` writes it, to be kept in git"
        raise ConfigError(msg)
    wanted = deployed_files() if files is None else files
    name = version("lanework") if release is None else release
    steps = [_step(project, path, text.encode(), name) for path, text in wanted.items()]
    steps += [_retired(path) for path in _kept(project) if path not in wanted]
    return [step for step in steps if step is not None]


def carry_out(project: Path, steps: list[Step], *, release: str | None = None) -> bool:
    """
    Write what `upgrade` returned; tell whether all of it is done, and no conflict is open.

    Each file is written before what says that it was, so that an upgrade which was cut off can be repeated.
    """
    for step in steps:
        for place, content in step.writes.items():
            _write(project / place, content)
    is_done = not any(step.fate in UNDONE for step in steps)
    if is_done:
        _write(project / RELEASE, f"{version('lanework') if release is None else release}\n".encode())
    return is_done


def release_of(project: Path) -> str | None:
    """Return the release that a project's deployed files are of; None if that isn't known: from before it was noted."""
    file = project / RELEASE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def is_behind(project: Path) -> bool:
    """Tell whether this release writes other files than the project was made with."""
    kept = {path: _read(project / BASE / path) for path in deployed_files()}
    return any(as_unix(kept[path] or b"") != text.encode() for path, text in deployed_files().items())


def unresolved(project: Path) -> list[str]:
    """Return the deployed files that hold a conflict which nobody has resolved."""
    return [path for path in deployed_files() if _is_open(project, path)]


def _step(project: Path, path: str, new: bytes, release: str) -> Step | None:
    base_place, pending_place = f"{BASE}/{path}", f"{BASE}/{_PENDING}/{path}"
    mine, base, pending = (_read(project / place) for place in (path, base_place, pending_place))
    if _is_open(project, path):
        return Step(path=path, fate=Fate.OPEN)
    done: dict[str, bytes | None] = {}
    if pending is not None:  # its conflicts are resolved: what it was merged with is what it is compared with now
        base, done = pending, {base_place: pending, pending_place: None}
    if base is not None and as_unix(base) == as_unix(new):
        return Step(path=path, fate=Fate.RESOLVED, writes=done) if done else None
    kept: dict[str, bytes | None] = {base_place: new, pending_place: None}
    if mine is None:
        is_new = base is None
        own = {path: new} if is_new else {}
        return Step(path=path, fate=Fate.NEW if is_new else Fate.DELETED, writes={**own, **kept})
    if as_unix(mine) in (as_unix(new), None if base is None else as_unix(base)):
        return Step(path=path, fate=Fate.UPDATED, writes={path: with_ends_of(mine, new), **kept})
    return _merged(path, mine, base, new, release=release, done=done, kept=kept)


def _merged(
    path: str,
    mine: bytes,
    base: bytes | None,
    new: bytes,
    *,
    release: str,
    done: dict[str, bytes | None],
    kept: dict[str, bytes | None],
) -> Step:
    pending_place = f"{BASE}/{_PENDING}/{path}"
    merged = merge(mine, base or b"", new, release=release)
    if merged is None:
        return Step(path=path, fate=Fate.BY_HAND, writes={f"{path}{_BESIDE}": new, **done, pending_place: new})
    if merged.conflicts:
        return Step(path=path, fate=Fate.CONFLICT, writes={path: merged.content, **done, pending_place: new})
    return Step(path=path, fate=Fate.MERGED, writes={path: merged.content, **kept})


def _retired(path: str) -> Step:
    return Step(path=path, fate=Fate.RETIRED, writes={f"{BASE}/{path}": None, f"{BASE}/{_PENDING}/{path}": None})


def _kept(project: Path) -> list[str]:
    """Return the files that the base holds."""
    found = (one.relative_to(project / BASE) for one in (project / BASE).rglob("*") if one.is_file())
    return sorted(one.as_posix() for one in found if one.parts[0] != _PENDING)


def _is_open(project: Path, path: str) -> bool:
    mine = _read(project / path)
    return (mine is not None and is_marked(mine)) or (project / f"{path}{_BESIDE}").exists()


def _read(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _write(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
