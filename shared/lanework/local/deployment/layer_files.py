"""
What of a project is in the layer: what Python can import from its `src`, and all that lies in its packages.

shared/Makefile runs this file as a script, the embedded stack imports it. It needs the standard library alone.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CACHES = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
APP = "jobs:app"
"""What `[tool.lanework] app` is where pyproject.toml doesn't say it."""

SRC = ("shared",)
"""What `[tool.lanework] src` is where pyproject.toml doesn't say it."""


def on_path(source: Path) -> Path:
    """Return what must be on `sys.path` for a source: of a package its parent, else the folder itself."""
    return source.parent if _is_package(source) else source


def layer_files(sources: Iterable[Path], *, demo: str | None = None) -> dict[Path, Path]:
    """
    Return the files that belong into a layer, by their paths in it, in the order of `sys.path`.

    Of a package these are all. Of another folder, single modules, and everything in a folder whose name can be
    imported: a package, or a namespace package with no `__init__.py`. What else lies at its top (Makefile,
    requirements.txt) stays out, and so do caches.

    Args:
        sources: Packages, and folders of packages and modules.
        demo: What `lanework demo` runs, as `module:attribute`: its module is for a laptop, and left out.
    """
    found: dict[Path, Path] = {}
    for source in sources:
        for file in _files(source):
            found.setdefault(file.relative_to(on_path(source)), file)
    if demo is not None:
        found.pop(Path(*demo.partition(":")[0].split(".")).with_suffix(".py"), None)
    return found


def _files(source: Path) -> Iterator[Path]:
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


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def _is_module(file: Path) -> bool:
    """Tell `db.py` and `_fast.cpython-313-aarch64-linux-gnu.so` from what can't be imported by its name."""
    name = file.stem if file.suffix == ".py" else file.name.partition(".")[0]
    return file.suffix in {".py", ".so"} and name.isidentifier()


def find_files(folder: Path) -> tuple[dict[Path, Path], Path, str | None]:
    """
    Return the files of the layer whose Makefile lies in `folder`, its project's folder, and the project's `app`.

    Where no pyproject.toml above has a `[tool.lanework]`, as in a container that sees this folder alone, the layer's
    code is what lies in the folder.
    """
    for root in folder.parents:
        file = root / "pyproject.toml"
        content = file.read_text(encoding="utf-8") if file.is_file() else ""
        table = tomllib.loads(content).get("tool", {}).get("lanework") if "lanework" in content else None
        if table is not None:
            sources = [Path(os.path.normpath(root / one)) for one in table.get("src", SRC)]
            for one in sources:
                if not one.is_dir():
                    sys.exit(f"[tool.lanework] src in {file} names {os.path.relpath(one, root)!r}, which isn't there")
            return layer_files(sources, demo=table.get("demo")), root, table.get("app")
    return layer_files([folder]), folder.parent, None


def variables_in(template: Path) -> dict[str, str] | None:
    """
    Return the environment variables that a SAM template gives to its functions, and their values where they are texts.

    It is read line by line, since the standard library has no YAML. None where there is no template.
    """
    if not template.is_file():
        return None
    found: dict[str, str] = {}
    margin: int | None = None
    for line in template.read_text(encoding="utf-8").splitlines():
        word = line.strip()
        if margin is not None and (not word or word.startswith("#") or len(line) - len(line.lstrip(" ")) > margin):
            found |= _variable(word)
            continue
        margin = None
        rest = line.partition("Variables:")[2].strip()
        if rest.startswith("{"):
            for one in rest[1:].partition("}")[0].split(","):
                found |= _variable(one.strip())
        elif word.startswith("Variables:") and (not rest or rest.startswith("#")):
            margin = len(line) - len(line.lstrip(" "))
    return found


def _variable(text: str) -> dict[str, str]:
    """Return the variable that a line of YAML gives, and its value, if it gives one."""
    name, is_given, value = text.partition(":")
    is_one = bool(is_given) and name.isascii() and name.isidentifier() and value[:1] in ("", " ", "\t")
    return {name: _plain(value)} if is_one else {}


def _plain(value: str) -> str:
    """Return a scalar of YAML; empty for what CloudFormation is to work out."""
    text = value.partition(" #")[0].strip()
    return "" if text.startswith(("!", "{", "[")) else text.strip("\"'")


def main(folder: Path, layer: Path, listed: Path) -> None:
    """
    Copy what belongs into the layer to the folder `layer`; write what `layer_imports` is to check to `listed`.

    Args:
        folder: Where the layer's Makefile lies.
    """
    files, root, app = find_files(folder)
    if not files:
        sys.exit(f"the layer would hold no code: name its folder or package in [tool.lanework] src of {root}")
    for inside, file in files.items():
        (layer / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, layer / inside)
    own = {str(inside): os.path.relpath(file, root) for inside, file in files.items()}
    requirements = os.path.relpath(folder / "requirements.txt", root)
    said = {
        "files": own,
        "requirements": requirements,
        "app": (app or APP).partition(":")[0],
        "variables": variables_in(folder.parent / "template.yaml"),
    }
    listed.write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(*(Path(one).absolute() for one in sys.argv[1:]))
