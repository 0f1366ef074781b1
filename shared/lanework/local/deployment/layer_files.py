"""
What of `shared/` is in the layer: what Python can import from there, and all that lies in its packages.

shared/Makefile runs this file as a script, the embedded stack imports it. It needs the standard library alone.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHES = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})


def on_path(source: Path) -> Path:
    """Return what must be on `sys.path` for a source: of a package its parent, else the folder itself."""
    return source.parent if _is_package(source) else source


def layer_files(source: Path) -> Iterator[Path]:
    """
    Return the files of `source` that belong into a layer, in the order of their paths.

    Of a package these are all. Of another folder, single modules, and everything in a folder whose name can be
    imported: a package, or a namespace package with no `__init__.py`. What else lies at its top (Makefile,
    requirements.txt) stays out, and so do caches.
    """
    if _is_package(source):
        yield from code_files(source)
        return
    for entry in sorted(source.iterdir()):
        if entry.is_dir() and entry.name.isidentifier():
            yield from code_files(entry)
        elif entry.is_file() and _is_module(entry):
            yield entry


def code_files(folder: Path) -> Iterator[Path]:
    """Return all files of `folder` that lie in no cache, in the order of their paths."""
    if folder.name in CACHES:
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file() and CACHES.isdisjoint(path.relative_to(folder).parts):
            yield path


def inside_layer(source: Path) -> Iterator[tuple[Path, Path]]:
    """Return each of `layer_files` after its path in the layer."""
    top = on_path(source)
    for file in layer_files(source):
        yield file.relative_to(top), file


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def _is_module(file: Path) -> bool:
    """Tell `db.py` and `_fast.cpython-313-aarch64-linux-gnu.so` from what can't be imported by its name."""
    name = file.stem if file.suffix == ".py" else file.name.partition(".")[0]
    return file.suffix in {".py", ".so"} and name.isidentifier()


def copy_layer(source: Path, layer: Path) -> None:
    """Copy what of `source` belongs into a layer to the folder `layer`."""
    for inside, file in inside_layer(source):
        target = layer / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


if __name__ == "__main__":
    copy_layer(Path(sys.argv[1]), Path(sys.argv[2]))
