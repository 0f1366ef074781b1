"""Bringing a project to this release: what Lanework changed since is merged into what the project has."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.starter.files import DEPLOYED
from lanework.starter.merge import as_unix, is_marked, markers_left, merge, with_ends_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
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

_BEFORE: Final = ".before"
"""How the name of a file ends, in that folder, that holds what the project had before the merge."""

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


def upgrade(project: Path, files: Mapping[str, str], *, release: str | None = None) -> list[Step]:
    """
    Return what brings a project to this release; nothing is written yet.

    Args:
        project: Its folder.
        files: What this release makes of the project's choices, by path.
        release: Its name; this one's.

    Raises:
        ConfigError: The project has no base to compare with; or there is something to merge, and no git.
    """
    if not (project / BASE / "template.yaml").is_file():
        msg = f"{project} has no {BASE}/template.yaml to compare with: `lanework init` writes it, to be kept in git"
        raise ConfigError(msg)
    name = version("lanework") if release is None else release
    steps = [_step(project, path, text.encode(), name) for path, text in files.items()]
    steps += [_retired(path) for path in _kept(project) if path not in files]
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


def is_behind(project: Path, files: Mapping[str, str]) -> bool:
    """Tell whether this release makes other files of the project's choices than Lanework last wrote."""
    return any(as_written(project, path) != text for path, text in files.items())


def changed_by_hand(project: Path) -> list[str]:
    """Return the files that aren't as Lanework last wrote them."""
    return [path for path in _kept(project) if _text(_read(project / path)) != as_written(project, path)]


def as_written(project: Path, path: str) -> str:
    """Return a file as Lanework last wrote it; empty if it never did."""
    return _text(_read(project / BASE / path))


def unresolved(project: Path) -> list[str]:
    """Return the deployed files that hold a conflict which nobody has resolved."""
    return [path for path in DEPLOYED if _is_open(project, path)]


def rewrite(files: Sequence[Path], change: Callable[[str], str]) -> bool:
    """Change the text of files, those that are there, and keep their line ends; tell whether the first has changed."""
    found = {file: file.read_bytes() for file in files if file.is_file()}
    made = {file: with_ends_of(content, change(_text(content)).encode()) for file, content in found.items()}
    for file, content in made.items():
        if content != found[file]:
            file.write_bytes(content)
    return made[files[0]] != found[files[0]]


def _step(project: Path, path: str, new: bytes, release: str) -> Step | None:
    base_place, pending_place = f"{BASE}/{path}", _pending(path)
    mine, base, pending = (_read(project / place) for place in (path, base_place, pending_place))
    if _is_open(project, path):
        return Step(path=path, fate=Fate.OPEN)
    done: dict[str, bytes | None] = {}
    closed: dict[str, bytes | None] = {pending_place: None, f"{pending_place}{_BEFORE}": None}
    if pending is not None and not _is_taken_back(project, path):
        # Its conflicts are resolved: what it was merged with is what it is compared with now.
        base, done = pending, {base_place: pending, **closed}
    if base is not None and as_unix(base) == as_unix(new):
        return Step(path=path, fate=Fate.DELETED if mine is None else Fate.RESOLVED, writes=done) if done else None
    kept: dict[str, bytes | None] = {base_place: new, **closed}
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
    pending_place = _pending(path)
    merged = merge(mine, base or b"", new, release=release)
    if merged is None:
        return Step(path=path, fate=Fate.BY_HAND, writes={f"{path}{_BESIDE}": new, **done, pending_place: new})
    if merged.conflicts:
        opened = {pending_place: new, f"{pending_place}{_BEFORE}": mine}
        return Step(path=path, fate=Fate.CONFLICT, writes={path: merged.content, **done, **opened})
    return Step(path=path, fate=Fate.MERGED, writes={path: merged.content, **kept})


def _retired(path: str) -> Step:
    return Step(
        path=path,
        fate=Fate.RETIRED,
        writes=dict.fromkeys([f"{BASE}/{path}", _pending(path), f"{_pending(path)}{_BEFORE}"]),
    )


def _kept(project: Path) -> list[str]:
    """Return the files that the base holds."""
    found = (one.relative_to(project / BASE) for one in (project / BASE).rglob("*") if one.is_file())
    return sorted(one.as_posix() for one in found if one.parts[0] != _PENDING)


def _pending(path: str) -> str:
    return f"{BASE}/{_PENDING}/{path}"


def _is_open(project: Path, path: str) -> bool:
    mine, before = _read(project / path), _read(project / f"{_pending(path)}{_BEFORE}")
    is_left = mine is not None and (is_marked(mine) or (before is not None and markers_left(mine, before)))
    return is_left or (project / f"{path}{_BESIDE}").exists()


def _is_taken_back(project: Path, path: str) -> bool:
    """
    Tell whether a file with conflicts isn't resolved but is as it was before the merge, by `git checkout` say.

    Where the merge changed nothing but what it marked, that is its owner's side of all conflicts, and resolved.
    """
    places = (path, f"{_pending(path)}{_BEFORE}", f"{BASE}/{path}", _pending(path))
    mine, before, base, pending = (_read(project / place) for place in places)
    if mine is None or before is None or pending is None:
        return False
    if as_unix(mine) not in (as_unix(before), as_unix(base or b"")):
        return False
    merged = merge(mine, base or b"", pending, release="", keep_mine=True)
    return merged is not None and as_unix(merged.content) != as_unix(mine)


def _text(content: bytes | None) -> str:
    return as_unix(content or b"").decode(errors="replace")


def _read(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _write(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
