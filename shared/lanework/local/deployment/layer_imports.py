"""
Looks in what was built for what a function of Lambda would miss there, and imports the project's modules as one would.

shared/Makefile runs this file as a script for the layer, `built` for the functions: with the runtime's own interpreter
and nothing of the developer's packages (`-I -S`). It needs the standard library alone.
"""

from __future__ import annotations

import argparse
import ast
import faulthandler
import importlib
import json
import os
import platform
import re
import sys
import tempfile
import traceback
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_EVERY_FUNCTION = {"LANEWORK_STACK": "build", "LANEWORK_ACCOUNT": "000000000000", "AWS_REGION": "us-east-1"}

BROUGHT = ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py", "jmespath")
"""What Lambda's runtime has, and shared/Makefile takes out of a layer: here the developer's stands in for it."""

BROUGHT_NAMES = frozenset(one.removesuffix(".py") for one in BROUGHT) | {"awslambdaric", "snapshot_restore_py"}

MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Lambda's architectures, and what Linux calls them."""

ELF_MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}
"""The number of each in an ELF file, at byte 18."""

IMPORT_WITHIN_S = 60
NO_VARIABLE = "no function has it; write {} below [tool.lanework.environment] in pyproject.toml, lanework check --write"
CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@dataclass(frozen=True)
class Built:
    """
    A built folder, and what is the project's own in it.

    Attributes:
        folder: What will be on `sys.path`.
        layers: What follows it there.
        files: The project's files in the folder, and what their author calls them.
        requirements: The file that names what else is in the layer.
        app: The module of the application, which functions import before any other: it may set up a framework.
        variables: The environment that functions will have, as far as it is known; None where nobody says.
    """

    folder: Path
    layers: tuple[Path, ...]
    files: dict[Path, str]
    requirements: str = "shared/requirements.txt"
    app: str | None = None
    variables: dict[str, str] | None = None

    @cached_property
    def own(self) -> dict[str, Path]:
        """The project's modules, by the names that they are imported by: no `__main__`, nothing of Lanework."""
        own = {}
        for file in sorted(one for one in self.files if one.suffix == ".py" and one.is_file()):
            parts = file.relative_to(self.folder).with_suffix("").parts
            if all(one.isidentifier() for one in parts) and parts[-1] != "__main__" and parts[0] != "lanework":
                own[".".join(parts).removesuffix(".__init__")] = file
        return dict(sorted(own.items(), key=lambda one: one[0] != self.app))

    @property
    def tops(self) -> list[str]:
        """The names at the top of the project's own modules."""
        return sorted({name.partition(".")[0] for name in self.own})

    @property
    def is_of_handlers(self) -> bool:
        """Whether these are the handlers, whose lines are Lanework's."""
        return self.tops == ["handlers"]

    def shown(self, file: Path | str) -> str:
        """Return a file of the layer as its author knows it."""
        path = Path(file)
        inside = str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)
        return self.files.get(path, inside)

    def has(self, wanted: str) -> bool:
        """Tell whether a module is there, of whatever platform; of others' packages, whether the package is."""
        is_ours = wanted.partition(".")[0] in {"lanework", *self.tops}
        return any(_is_in(folder, wanted, in_full=is_ours) for folder in (self.folder, *self.layers))


def _is_in(folder: Path, wanted: str, *, in_full: bool) -> bool:
    for part in wanted.split("."):
        modules = [folder / f"{part}{suffix}" for suffix in (".py", ".pyc", ".so")]
        if any(one.is_file() for one in (*modules, *folder.glob(f"{part}.*.so"))):
            return True
        folder /= part
        if not folder.is_dir():
            return False
        if not in_full and any(folder.glob("__init__.py*")):
            return True
    return True


def foreign(built: Built, architecture: str) -> list[str]:
    """Return a line for each native module that is for another machine, or for another Python than this one."""
    lines = []
    for file in sorted(built.folder.rglob("*.so")):
        with file.open("rb") as binary:
            head = binary.read(20)
        if head[:4] != b"\x7fELF" or int.from_bytes(head[18:20], "little") != ELF_MACHINES[architecture]:
            lines.append(f"{built.shown(file)}: is not for Linux on {architecture}")
        tag = re.search(r"\.cpython-3(\d+)-", file.name)
        if tag and int(tag[1]) != sys.version_info.minor:
            lines.append(
                f"{built.shown(file)}: is for python3.{tag[1]}, and the layer for python3.{sys.version_info.minor}"
            )
    return lines


def missing(built: Built) -> list[str]:
    """Return a line for each import of the project's own modules that neither layer, Lambda nor Python has."""
    lines = []
    for name, file in built.own.items():
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        try:
            tree = ast.parse(file.read_bytes(), str(file))
        except SyntaxError as error:
            lines.append(f"{built.shown(file)}:{error.lineno}: {error.msg}")
            continue
        for line, wanted in _imports(tree, package):
            top = wanted.partition(".")[0]
            if top in sys.stdlib_module_names or top in BROUGHT_NAMES or built.has(wanted):
                continue
            lines.append(f"{built.shown(file)}:{line}: imports {wanted}, which is not in the layer: {_why(built, top)}")
    return lines


def _why(built: Built, top: str) -> str:
    if top == "lanework":
        return "Lanework has it for a laptop only"
    return "there is no such module" if top in built.tops else f"name its package in {built.requirements}"


def _imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Return line and full name of each import, without those that a type checker alone sees or that may fail."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Import():
                yield from ((node.lineno, alias.name) for alias in node.names)
            case ast.ImportFrom():
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                yield node.lineno, ".".join([*above, *filter(None, [node.module])])
            case ast.If() if _is_not_for_lambda(node.test):
                for other in node.orelse:
                    yield from _imports(ast.Module([other], []), package)
            case ast.Try() if any(_catches(one) for one in node.handlers):
                for other in (*node.orelse, *node.finalbody, *(line for one in node.handlers for line in one.body)):
                    yield from _imports(ast.Module([other], []), package)
            case _:
                yield from _imports(node, package)


def _is_not_for_lambda(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"}


def _catches(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or ast.unparse(one) in CAUGHT for one in caught)


def import_all(built: Built, *, within: tuple[Built, ...] = (), is_entry: bool = False) -> list[str]:
    """
    Import the project's modules; return a line for the first that lacks another one, or none.

    So is a variable that the application asks for and functions will not have. What else a module says is printed only:
    the build hasn't all of their environment, and what no handler imports may want to be prepared for.

    Args:
        within: All that is looked at, whose files a line may name; this alone by default.
        is_entry: These are the handlers, and this process has their environment: whatever they say is a problem.
    """
    faulthandler.dump_traceback_later(IMPORT_WITHIN_S, exit=True)
    for name in built.own:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - a module may raise anything, SystemExit too
            line = _told(within or (built,), error)
            lacking = _lacking(error)
            will_lack = name == built.app and built.variables is not None and lacking not in built.variables
            if lacking and (is_entry or will_lack):
                return [f"{line}: {NO_VARIABLE.format(lacking)}"]
            if is_entry or isinstance(error, ImportError):
                return [line]
            print(f"can't be tried without its environment: {line}")  # noqa: T201 - the build's words
    faulthandler.cancel_dump_traceback_later()
    return []


def _lacking(error: BaseException) -> str | None:
    """Return the variable that os.environ doesn't have, if that is the error."""
    *_, last = traceback.extract_tb(error.__traceback__)
    is_of_environ = last.name == "__getitem__" and last.filename in {"<frozen os>", os.__file__}
    return str(error.args[0]) if isinstance(error, KeyError) and is_of_environ else None


def _told(builts: tuple[Built, ...], error: BaseException) -> str:
    """Say where the project's own code was last, and what happened there or in what it called."""
    traced = traceback.extract_tb(error.__traceback__)[1:]
    frames = [one for one in traced if not re.search(r"importlib|^<frozen", one.filename)]
    is_lanework_s = type(error).__module__.startswith("lanework.errors")  # it says what to write, at the caller's line
    said = " ".join(str(error).split()) if is_lanework_s else f"{type(error).__name__}: {' '.join(str(error).split())}"
    own = {str(file): one for one in builts for file in one.own.values()}
    if not frames or (is_lanework_s and all(own[one.filename].is_of_handlers for one in frames if one.filename in own)):
        return said
    *_, where = [one for one in frames if one.filename in own] or frames
    is_all = is_lanework_s or where is frames[-1]
    within = "" if is_all else f", in {_shown(builts, frames[-1].filename)}:{frames[-1].lineno}"
    return f"{_shown(builts, where.filename)}:{where.lineno}: {said}{within}"


def _shown(builts: tuple[Built, ...], file: str) -> str:
    return next((one.files[Path(file)] for one in builts if Path(file) in one.files), builts[0].shown(file))


def why_not_run(architecture: str, brought_in: Path | None) -> str | None:
    """Say why the layer's modules can't be run here; None where they can."""
    if sys.platform != "linux" or platform.machine() != MACHINES[architecture]:
        return f"they are for Linux on {architecture}, and this is {platform.system()} on {platform.machine()}"
    if brought_in is None:
        return "there is no boto3 beside python3 to stand in for Lambda's"
    return None


def _built(folder: Path, layers: tuple[Path, ...], listed: Path | None) -> Built:
    if listed is None:
        files = {one: str(one.relative_to(folder)) for one in folder.rglob("*")}
        return Built(folder=folder, layers=layers, files=files)
    said = json.loads(listed.read_text(encoding="utf-8"))
    files = {folder / inside: shown for inside, shown in said["files"].items()}
    rest = {name: said.get(name) for name in ("requirements", "app", "variables")}
    return Built(folder=folder, layers=layers, files=files, **rest)


def main(words: list[str]) -> None:
    """Check a layer, or functions; exit with a line for each module that is missing, or for another machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="what will be on sys.path, in this order")
    parser.add_argument("--layer", type=Path, action="append", default=[], help="what follows it there")
    parser.add_argument(
        "--listed", type=Path, help="the project's in the last folder, as `layer_files` writes it; else all"
    )
    parser.add_argument("--architecture", choices=sorted(MACHINES), help="whose; without one it is this machine's")
    parser.add_argument("--brought-in", type=Path, help="a folder in which boto3 lies on this machine")
    asked = parser.parse_args(words)
    path = [one.resolve() for one in (*asked.folder, *asked.layer)]
    folders = list(enumerate(path[: len(asked.folder)], start=1))
    builts = [_built(one, tuple(path[at:]), asked.listed if at == len(folders) else None) for at, one in folders]
    problems = [line for one in builts for line in _looked_for(one, asked.architecture)]
    reason = None if asked.architecture is None else why_not_run(asked.architecture, asked.brought_in)
    if not problems and reason is None:
        problems = _imported(builts, path, asked.brought_in, is_here=asked.architecture is None)
    if problems:
        sys.exit("\n".join(problems))
    how = f"looked for by name only: {reason}" if reason else "imported"
    tops = ", ".join(name for one in builts for name in one.tops)
    print(f"every module of {tops}, and what it imports, was {how}")  # noqa: T201 - the build's words


def _looked_for(built: Built, architecture: str | None) -> list[str]:
    return missing(built) + ([] if architecture is None else foreign(built, architecture))


def _imported(builts: list[Built], path: list[Path], brought_in: Path | None, *, is_here: bool) -> list[str]:
    with tempfile.TemporaryDirectory() as runtime:
        if brought_in is not None:
            for one in BROUGHT:
                (Path(runtime) / one).symlink_to(brought_in.resolve() / one)
        sys.path[:0] = [*map(str, path), runtime]
        sys.dont_write_bytecode = not is_here
        if not is_here:
            os.environ.update(OF_EVERY_FUNCTION)
            own = (builts[-1].variables or {}).items()
            os.environ.update({name: value for name, value in own if not name.startswith("LANEWORK_")})
        problems = (import_all(one, within=tuple(builts), is_entry=is_here and one is builts[0]) for one in builts)
        return next(filter(None, problems), [])


if __name__ == "__main__":
    main(sys.argv[1:])
