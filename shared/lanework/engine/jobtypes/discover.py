"""Finds the families of an application in a package: each module below it is imported."""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.engine.jobtypes.family import Jobs
from lanework.errors import DeclarationError, ImportFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType


def discover_families(package: str) -> list[Jobs]:
    """
    Return the families in a package and below, each once, in the order of the modules' names.

    Raises:
        ImportFailedError: A module can't be imported; the error says where.
        DeclarationError: There is no family.
    """
    found = [one for module in _modules(package) for one in vars(module).values() if isinstance(one, Jobs)]
    if not found:
        msg = (
            f'no family of jobs in {package!r} or below: write one, such as mail = Jobs(queue="mail"), in a module of '
            "its own; a folder of modules needs an __init__.py"
        )
        raise DeclarationError(msg)
    return [*{id(one): one for one in found}.values()]


def import_module(name: str, folders: Iterable[str | Path]) -> ModuleType:
    """
    Import a module of the application.

    Args:
        folders: Where the application's code lies; an error names the last line there.

    Raises:
        ImportFailedError: It can't be imported, whatever it raised.
    """
    try:
        return importlib.import_module(name)
    except ImportFailedError:  # of a module that this one discovered
        raise
    except (Exception, SystemExit) as error:
        raise _failure(name, error, [Path(one) for one in folders]) from error


def _modules(package: str, within: Sequence[str] = ()) -> Iterator[ModuleType]:
    """Import a package and all below it, but what is run by its name: `__main__`."""
    top = import_module(package, within)
    yield top
    folders = [*getattr(top, "__path__", ())]
    for one in sorted(pkgutil.iter_modules(folders, f"{package}."), key=lambda each: each.name):
        if one.ispkg:
            yield from _modules(one.name, folders)
        elif not one.name.endswith(".__main__"):
            yield import_module(one.name, folders)


def _failure(name: str, error: BaseException, folders: list[Path]) -> ImportFailedError:
    frames = [one for one in traceback.extract_tb(error.__traceback__)[1:] if "importlib" not in one.filename]
    own = [one for one in frames if any(Path(one.filename).is_relative_to(folder) for folder in folders)]
    said = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, SyntaxError):
        said = f"{error.filename}:{error.lineno}: {error.msg}"
    elif frames:
        where = (own or frames)[-1]
        said = f"{where.filename}:{where.lineno}: {said}"
    return ImportFailedError(name, said, trace="".join(traceback.format_list(frames)))
