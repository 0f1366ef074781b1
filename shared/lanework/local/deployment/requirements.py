"""What a layer's requirements.txt names, and which of the packages installed here that is."""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from lanework.errors import StackError
from lanework.local.deployment.layer_contents import Asked, normal, read_asked

IN_RUNTIME: Final = "boto3"
"""What Lambda's runtime has, with what that needs."""


def read_requirements(file: Path) -> Asked:
    """
    Read a requirements.txt.

    Raises:
        StackError: It can't be read.
    """
    try:
        return read_asked(file)
    except (OSError, UnicodeDecodeError) as error:
        problem = (
            f"can't read {file}, which names what the functions have: lanework, and what your jobs import; {error}"
        )
        raise StackError(problem) from None


def installed(requirements: Asked) -> tuple[list[Distribution], list[str]]:
    """Return the packages installed here that requirements name and these need, and which lines nothing here meets."""
    found = _Found(follows=not requirements.is_locked)
    lacking = [line for line in requirements.lines if not found.has(line)]
    runtime = _Found(follows=True)
    runtime.has(IN_RUNTIME)
    return list((runtime.packages | found.packages).values()), lacking


class _Found:
    """Packages that are installed here, by their names: as they are asked for, and with what they need."""

    def __init__(self, *, follows: bool) -> None:
        self.packages: dict[str, Distribution] = {}
        self._follows = follows
        self._asked: set[tuple[str, frozenset[str]]] = set()

    def has(self, line: str, *, extra: str = "") -> bool:
        """Add what a line names and what that needs; tell whether all of it is here. `extra` is whose line it is."""
        from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - only in the extra `local`

        try:
            wanted = Requirement(line)
        except InvalidRequirement:  # a path, or an option such as -e: pip knows what it is
            return False
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            return True
        try:
            one = distribution(wanted.name)
        except PackageNotFoundError:
            return False
        if wanted.url or not wanted.specifier.contains(one.version, prereleases=True):
            return False
        name = normal(wanted.name)
        self.packages[name] = one
        asked = (name, frozenset(wanted.extras))
        if not self._follows or asked in self._asked:
            return True
        self._asked.add(asked)
        needs = [self.has(other, extra=of) for other in one.requires or () for of in ("", *wanted.extras)]
        return all(needs)


def main(file: Path) -> None:
    """Print the versions of what a requirements.txt names and this needs, if all of it is installed here."""
    found, lacking = installed(read_requirements(file))
    for one in () if lacking else found:
        if "+" not in one.version:  # of this machine alone
            print(f"{one.name}=={one.version}")  # noqa: T201 - pip's constraints


if __name__ == "__main__":
    main(Path(sys.argv[1]))
