"""What a layer's requirements.txt names, and which of the packages installed here that is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Final

from lanework.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.requirements import Requirement

IN_RUNTIME: Final = "boto3"
"""What Lambda's runtime has, with what that needs."""

_OF_THE_CLI: Final = frozenset(
    {
        *("typer", "click", "shellingham", "annotated-doc", "rich", "markdown-it-py", "mdurl", "pygments", "colorama"),
        "dnspython",
    }
)
"""What Lanework itself needs for its command line alone; shared/Makefile takes it out of the layer."""

_LEAVING_OUT: Final = frozenset({"lanework", "email-validator"})
"""Who asks for these without needing them in a function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """
    The lines of a requirements.txt, and of those that it names by `-r`.

    Attributes:
        lines: Without comments, options and hashes.
        is_locked: It has hashes: nothing that it doesn't name is installed.
    """

    lines: tuple[str, ...]
    is_locked: bool


def read_requirements(file: Path) -> Requirements:
    """
    Read a requirements.txt.

    Raises:
        StackError: It can't be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = (
            f"can't read {file}, which names what the functions have: lanework, and what your jobs import; {error}"
        )
        raise StackError(problem) from None
    lines: list[str] = []
    is_locked = "--hash=" in text
    for line in re.sub(r"\\\n", " ", text).splitlines():
        said = re.sub(r"(^|\s)#.*|\s--hash=\S+", "", line).strip()
        if named := re.match(r"(?:-r|--requirement)[ =]*([^\s=]\S*)", said):
            other = read_requirements(file.parent / named[1])
            lines += other.lines
            is_locked |= other.is_locked
        elif said and not said.startswith("--"):
            lines.append(said)
    return Requirements(lines=tuple(lines), is_locked=is_locked)


def installed(requirements: Requirements) -> tuple[list[Distribution], list[str]]:
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
        name = _normal(wanted.name)
        self.packages[name] = one
        asked = (name, frozenset(wanted.extras))
        if not self._follows or asked in self._asked:
            return True
        self._asked.add(asked)
        needs = [self.has(other, extra=of) for of, other in _needs(one, name, wanted)]
        return all(needs)


def _needs(one: Distribution, name: str, wanted: Requirement) -> Iterator[tuple[str, str]]:
    """Yield the lines of what a package needs, each after the extra whose it is."""
    left_out = _OF_THE_CLI if name in _LEAVING_OUT else frozenset()
    for line in one.requires or ():
        begin = re.match(r"[A-Za-z0-9._-]+", line)
        if begin is not None and _normal(begin[0]) not in left_out:
            yield from ((extra, line) for extra in ("", *wanted.extras))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
