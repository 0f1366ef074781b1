"""
The packages that the embedded stack's functions have: those of the layer's requirements.txt, and the runtime's boto3.

They lie in a folder of links to what is installed here, so that a package of the developer's alone is missing there as
it would be on AWS. Where something isn't installed here, pip installs all into that folder.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from lanework.errors import StackError
from lanework.local.deployment import layer_contents
from lanework.local.deployment.layer_contents import CACHE, Asked, Layer, is_lanework, without_the_clis
from lanework.local.deployment.requirements import installed, read_requirements
from lanework.local.emulator.private_files import locked, make_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from importlib.metadata import Distribution

    from lanework.local.project import Project

FOLDER: Final = "layer"
_KEPT_FOR: Final = timedelta(days=7)
"""A running stack's functions find their packages in the folder of its latest deployment."""

_DONE: Final = ".done"
"""Written last, so that what was interrupted is made again."""


def layer_packages(project: Project, report: Callable[[str], None] = lambda _: None) -> Path:
    """
    Return the folder of the packages that a project's functions have; made when what it is made of has changed.

    Args:
        report: Called with a line that says where they are from, when the folder is made.

    Raises:
        StackError: requirements.txt can't be read, or names what is neither here nor can be installed.
    """
    file = project.shared / "requirements.txt"
    wanted = read_requirements(file)
    found, lacking = _looked_up(wanted, tuple(sys.path), _version_of_paths())
    parts = [
        sys.version,
        *wanted.lines,
        *lacking,
        *sorted(f"{one.name} {one.version} {one.locate_file('')} {one.read_text('RECORD')}" for one in found),
    ]
    folder = project.home / FOLDER / hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    if (folder / _DONE).is_file():
        (folder / _DONE).touch()
        return folder
    make_private(folder.parent)
    with locked(folder.parent / ".lock"):  # another command of this project may make the same
        if not (folder / _DONE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            if lacking:
                lacks = f"{', '.join(lacking)} is not in {Path(sys.prefix).name}"
                report(f"installing {project.shown(file)} for the functions: {lacks} …")
                _install(file, folder, project.shown(file), is_locked=wanted.is_locked)
            else:
                of = f"{len(found)} packages of {project.shown(file)} and what these need"
                report(f"the functions have the {of}, from {Path(sys.prefix).name}")
                _link(found, folder, wanted)
            (folder / _DONE).touch()
        _remove_unused(folder.parent)
    return folder


def files_beside(project: Project, packages: Path) -> dict[Path, Path]:
    """Return a project's own files that belong into the layer beside its packages, by their paths there."""
    rules = Layer(read_requirements(project.shared / "requirements.txt"), {one.name for one in packages.iterdir()})
    own = project.layer_files
    return {inside: file for inside, file in own.items() if not (is_lanework(inside) and rules.leaves_out(inside))}


def _remove_unused(home: Path) -> None:
    """Remove what was made for other requirements or packages, and not deployed for `_KEPT_FOR`."""
    for one in home.iterdir():
        done = one / _DONE
        if done.is_file() and time.time() - done.stat().st_mtime > _KEPT_FOR.total_seconds():
            shutil.rmtree(one, ignore_errors=True)


@lru_cache(maxsize=1)
def _looked_up(
    wanted: Asked, _path: tuple[str, ...], _version: tuple[int, ...]
) -> tuple[list[Distribution], list[str]]:
    found, lacking = installed(wanted)
    return without_the_clis(found, wanted), lacking


def _version_of_paths() -> tuple[int, ...]:
    """Return what changes when a package is installed or removed."""
    return tuple(
        Path(one).stat().st_mtime_ns for one in sys.path if one.endswith("site-packages") and Path(one).is_dir()
    )


def _link(packages: Iterable[Distribution], folder: Path, asked: Asked) -> None:
    """Link what packages are made of into a folder, without what `make build` takes out of a layer."""
    files = [_files_of(one) for one in packages]
    rules = Layer(asked, {inside.parts[0] for one in files for inside in one})
    for one in files:
        for inside, original in _linked(one, rules).items():
            target = folder / inside
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(original)


def _files_of(one: Distribution) -> dict[PurePosixPath, Path]:
    """Return the files of a package, by their paths in the folder that it is installed in."""
    files = [
        PurePosixPath(file)
        for file in one.files or ()
        if ".." not in file.parts and not PurePosixPath(file).is_absolute() and CACHE not in file.parts
    ]
    found = {PurePosixPath(file): Path(str(one.locate_file(file))) for file in files if file.suffix != ".pth"}
    for file in files:
        if file.suffix == ".pth":
            found |= _editable(Path(str(one.locate_file(file))), one.name)
    return found


def _linked(files: Mapping[PurePosixPath, Path], rules: Layer) -> dict[PurePosixPath, Path]:
    """Return what is to be linked of a package: whole folders, where nothing in them is left out."""
    kept = {inside: original for inside, original in files.items() if not rules.leaves_out(inside)}
    broken = {folder for inside in files.keys() - kept.keys() for folder in inside.parents}
    linked = {}
    for inside, original in kept.items():
        whole = (one for one in reversed(inside.parents[:-1]) if one not in broken and one / "__init__.py" in files)
        top = next(whole, inside)
        linked[top] = original.parents[len(inside.parts) - len(top.parts) - 1] if top != inside else original
    return linked


def _editable(file: Path, name: str) -> dict[PurePosixPath, Path]:
    """Return the files of a package that is installed from its source, whose folder a .pth file names."""
    found: dict[PurePosixPath, Path] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        package = Path(line) / name.replace("-", "_")
        if not line.startswith("import") and package.is_dir():
            files = (one for one in package.rglob("*") if one.is_file() and "__pycache__" not in one.parts)
            found |= {PurePosixPath(*one.relative_to(line).parts): one for one in files}
    return found


def _install(file: Path, folder: Path, shown: str, *, is_locked: bool) -> None:
    tool = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is not None:
        tool = [uv, "pip", "install", "--python", sys.executable]
    locked = ["--no-deps", "--require-hashes"] if is_locked else []
    command = [*tool, "--quiet", "--only-binary", ":all:", *locked, "--target", str(folder), "--requirement", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, umask=0o077)  # noqa: S603 - our own words
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        said = (done.stderr or done.stdout).strip().splitlines()
        problem = f"{shown} names what is not here, and can't be installed: {said[-1] if said else done.returncode}"
        raise StackError(problem)
    layer_contents.main(folder, file)
    found, _ = installed(Asked(lines=(), is_locked=False))  # the runtime's own
    _link(found, folder, Asked(lines=(), is_locked=False))
