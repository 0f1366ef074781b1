"""Zips the functions' code and the layer. The same files give the same bytes, whenever and wherever they are zipped."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lanework.errors import StackError
from lanework.local.deployment.layer_files import code_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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
    return _zip(folder, {one.relative_to(folder): one for one in files}, under=folder.name)


def zip_layer(folder: Path, files: Mapping[Path, Path]) -> Package:
    """
    Zip what `make build` puts into the layer of `folder`, below `python`; its requirements are not installed.

    Args:
        files: By their paths in the layer.

    Raises:
        StackError: If there are none.
    """
    return _zip(folder, files, under="python")


def _zip(folder: Path, files: Mapping[Path, Path], *, under: str) -> Package:
    if not files:
        problem = f"nothing to deploy in {folder}: the folder is missing or empty"
        raise StackError(problem)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for inside, file in files.items():
            entry = zipfile.ZipInfo(str(PurePosixPath(under, *inside.parts)), EPOCH)
            entry.external_attr = REGULAR_FILE
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return Package(name=folder.name, content=buffer.getvalue())


def check_syntax(folder: Path) -> None:
    """
    Compile every Python file of `folder`, running none.

    Raises:
        StackError: At the first that doesn't compile, naming file, line and problem.
    """
    for path in code_files(folder):
        if path.suffix != ".py":
            continue
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:  # a null byte is a ValueError before Python 3.12
            line = getattr(error, "lineno", None) or 1
            problem = f"{path}:{line}: {getattr(error, 'msg', error)}"
            raise StackError(problem) from error
