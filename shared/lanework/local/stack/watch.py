"""Deploys again when a file of the project changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.errors import LaneworkError
from lanework.local.env_file import NAME as ENV_FILE
from lanework.local.project_config import FILE

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from threading import Event

    from lanework.local.project import Project
    from lanework.local.stack.embedded import RunningStack

QUIET_MS = 100
"""Changes closer together than this are one: editors and git write several files at a time."""

LOOK_AT_TEMPLATE_EVERY_MS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeployed:
    """
    What came of a change.

    Attributes:
        changed: The files that changed, below the project's folder.
        problem: Why it wasn't deployed; the stack goes on with what it had. Nothing if it was.
    """

    changed: tuple[str, ...]
    problem: str | None = None


def redeploy_on_change(stack: RunningStack, stop: Event) -> Generator[Redeployed, None, None]:
    """
    Deploy after each change to the project's code or template, yielding what came of it, until `stop` is set.

    Raises:
        StackError: If the emulator ends meanwhile.
    """
    project = stack.deployer.project
    for changed in changes(project, stop):
        stack.emulator.check_alive()
        if not changed:
            continue
        names = tuple(project.shown(path) for path in changed)
        try:
            stack.deployer.deploy()
        except (LaneworkError, OSError) as error:  # a file can vanish between being listed and being read
            yield Redeployed(changed=names, problem=str(error))
        else:
            yield Redeployed(changed=names)


def changes(project: Project, stop: Event) -> Iterator[tuple[Path, ...]]:
    """Yield the files that changed each time some did, and nothing once in a while if none did, until `stop` is set."""
    from watchfiles import watch  # noqa: PLC0415 - only in the extra `local`

    requirements = project.shared / "requirements.txt"
    looked_at = (project.template, project.root / ENV_FILE, project.root / FILE, requirements)
    before = {one: _version(one) for one in looked_at}
    batches = watch(
        project.handlers,
        *project.sources,
        step=QUIET_MS,
        stop_event=stop,
        rust_timeout=LOOK_AT_TEMPLATE_EVERY_MS,
        yield_on_timeout=True,
    )
    for batch in batches:
        changed = {Path(path) for _, path in batch}
        now = {one: _version(one) for one in looked_at}
        # Looked at, not watched: an editor that saves by renaming ends a watch on a single file.
        changed |= {one for one in looked_at if now[one] != before[one]}
        before = now
        yield tuple(sorted(changed))


def _version(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size
