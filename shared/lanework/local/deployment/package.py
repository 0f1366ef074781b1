"""Zips the functions' code and the layer. The same files give the same bytes, whenever and wherever they are zipped."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.errors import StackError
from lanework.local.deployment.layer_files import code_files

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip entry can have."""

REGULAR_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """
    A zip for Lambda.

    Attributes:
        name: What it holds, `handlers` or `shared`.
        content: The zip's bytes.
    """

    name: str
    content: bytes

    @property
    def key(self) -> str:
        """A name for the zip that changes exactly when its content does."""
        return f"{self.name}-{hashlib.sha256(self.content).hexdigest()[:20]}.zip"


def zip_functions(folder: Path) -> Package:
    """
    Zip the functions' code, below the folder's own name.

    Raises:
        StackError: If there is no such folder, or nothing in it.
    """
    files = code_files(folder) if folder.is_dir() else ()
    return _zip(folder, {one.relative_to(folder.parent): one.read_bytes() for one in files})


def zip_layer(folder: Path, files: Mapping[Path, Path], packages: Path | None = None) -> Package:
    """
    Zip what `make build` puts into the layer of `folder`, below `python`; its requirements are not installed.

    Args:
        files: By their paths in the layer.
        packages: The folder on this machine in which functions find what the requirements name.

    Raises:
        StackError: If there are none.
    """
    contents = {Path("python") / inside: file.read_bytes() for inside, file in files.items()}
    if packages is not None and contents:
        site = Path("python", "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
        contents[site / "packages.pth"] = f"{packages}\n".encode()
    return _zip(folder, contents)


def _zip(folder: Path, contents: Mapping[Path, bytes]) -> Package:
    if not contents:
        problem = f"nothing to deploy in {folder}: the folder is missing or empty"
        raise StackError(problem)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for inside, content in contents.items():
            entry = zipfile.ZipInfo(inside.as_posix(), EPOCH)
            entry.external_attr = REGULAR_FILE
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return Package(name=folder.name, content=buffer.getvalue())
