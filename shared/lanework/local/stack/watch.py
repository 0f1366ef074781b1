"""Deploys again when a file of the project changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.errors import LaneworkError
from lanework.local.deployment.layer_files import code_files
from lanework.local.env_file import NAME as ENV_FILE
from lanework.local.project_config import FILE

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from threading import Event

    from lanework.local.project import Project
    from lanework.local.stack.embedded import RunningStack

    Versions = Mapping[Path, tuple[int, int] | None]
    """When files were written last, in ns, and their sizes; None of one that isn't there."""

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
    for changed in changes(project, stop, since=stack.deployed):
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


def changes(project: Project, stop: Event, *, since: Versions) -> Iterator[tuple[Path, ...]]:
    """
    Yield the files that changed each time some did, and nothing once in a while if none did, until `stop` is set.

    Args:
        since: The versions of before, such as those that were deployed: what differs by the time that files are
            watched has changed, too.
    """
    from watchfiles import watch  # noqa: PLC0415 - only in the extra `local`

    looked_at = _looked_at(project)
    before = since
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
        # Looked at, not watched: an editor that saves by renaming ends a watch on a single file.
        now = versions(project) if before is since else {one: _version(one) for one in looked_at}
        changed |= {one for one in {*before, *now} if now.get(one) != before.get(one)}
        before = {one: now.get(one) for one in looked_at}
        yield tuple(sorted(changed))


def versions(project: Project) -> Versions:
    """Return the versions of all files that a deployment is made of."""
    files = (*code_files(project.handlers), *project.layer_files.values(), *_looked_at(project))
    return {one: _version(one) for one in files}


def _looked_at(project: Project) -> tuple[Path, ...]:
    return (
        project.template,
        project.root / ENV_FILE,
        project.root / FILE,
        project.shared / "requirements.txt",
    )


def _version(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size
