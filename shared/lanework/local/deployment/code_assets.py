"""A template's code as folders to upload, built by the Makefiles that `make build` runs, and kept until it changes."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lanework.errors import StackError
from lanework.local.deployment.built import check_functions
from lanework.local.deployment.layer_files import code_files
from lanework.local.deployment.template import FUNCTION, LAYER, with_code_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.local.project import Project

HOME = Path(".aws-sam/assets")
"""Beside template.yaml: what is in `.lanework` is closed to others, and Lambda opens files as another user."""


def built_code(project: Project, template: dict[str, Any], runtime: str, architecture: str) -> dict[str, Path]:
    """
    Return the folder to upload for each folder that a template names; built if what it is made of has changed.

    Raises:
        StackError: A build fails, with what it said, or a function imports what isn't there.
    """
    home = project.folder / HOME
    home.mkdir(parents=True, exist_ok=True)
    words = {"RUNTIME": runtime, "ARCHITECTURE": architecture, "TIED": "1"}
    kept: dict[str, Path] = {}
    with TemporaryDirectory(dir=home) as staging:
        made: dict[str, Path] = {}
        for folder, logical_id in code_folders(template).items():
            source = (project.folder / folder).resolve()
            kept[folder] = home / f"{logical_id}-{_made_of(project, source, words)}"
            if not kept[folder].is_dir():
                made[folder] = Path(staging, logical_id)
                _build(source, made[folder], logical_id, project.shown(source), words)
        if made:
            located = with_code_at(template, lambda folder, _: str({**kept, **made}[folder]))
            with redirect_stdout(sys.stderr):  # the CDK's tool reads the other
                check_functions(home, located, runtime, architecture)
        for folder, one in made.items():
            with suppress(FileExistsError):  # another command has built the same
                one.rename(kept[folder])
    return kept


def content_hash(folder: Path) -> str:
    """Return what changes when a folder's files do, caches aside: bytecode there names the folder it was made in."""
    digest = hashlib.sha256()
    for file in code_files(folder):
        digest.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def code_folders(template: dict[str, Any]) -> dict[str, str]:
    """Return the folders of code that a template names, each with the logical id of the first that has it."""
    found: dict[str, str] = {}
    everywhere = template.get("Globals", {}).get("Function", {}).get("CodeUri")
    keys = {FUNCTION: ("CodeUri", everywhere), LAYER: ("ContentUri", None)}
    for name, one in template["Resources"].items():
        key, usual = keys.get(one.get("Type"), ("", None))
        folder = one.get("Properties", {}).get(key, usual)
        if isinstance(folder, str) and not folder.startswith("s3://"):
            found.setdefault(folder, name)
    return found


def _made_of(project: Project, source: Path, words: Mapping[str, str]) -> str:
    """Return what changes when a build would make something else, requirements without a lock aside."""
    files = {str(one.relative_to(source)): one for one in code_files(source)} if source.is_dir() else {}
    if source == project.shared.resolve():
        files |= {f"layer/{inside}": file for inside, file in project.layer_files.items()}
    digest = hashlib.sha256(f"{version('lanework')} {sorted(words.items())}".encode())
    for name, file in sorted(files.items()):
        digest.update(f"{name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:20]


def _build(source: Path, target: Path, logical_id: str, shown: str, words: Mapping[str, str]) -> None:
    """Run a folder's Makefile as `sam build` does."""
    if not (source / "Makefile").is_file():
        problem = f"{shown}/Makefile is missing, which builds {logical_id}; try: lanework upgrade"
        raise StackError(problem)
    target.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(  # noqa: S603 - the project's own Makefile
        ["make", "--silent", f"build-{logical_id}"],  # noqa: S607 - whichever it is, as of `make build`
        cwd=source,
        env={**os.environ, **words, "PATH": path, "ARTIFACTS_DIR": str(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr).strip().splitlines()
        said = [one for one in lines if not re.match(r"make(\[\d+\])?: \*\*\*", one)]
        problem = f"building {shown} failed: {(said or lines or ['make said nothing'])[-1]}"
        raise StackError(problem)
