"""
What is taken out of a layer: what Lambda's runtime has itself, and what no function imports.

shared/Makefile runs this file as a script on what was installed and copied; the embedded stack asks it what a function
may see. It needs the standard library alone.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

CACHE = "__pycache__"

IN_RUNTIME = frozenset({"boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py", "jmespath"})
"""Lambda's runtime has these, by their names at the top of a layer."""

_POWERTOOLS = "aws_lambda_powertools"

_PATHS = frozenset(
    {
        "bin",
        ".lock",
        *(f"lanework/{one}" for one in ("cdk.py", "cli", "doctor", "local", "starter", "memory", "testing.py")),
        *(f"lanework/{one}" for one in ("aws/deployed", "edges/process")),
        *(f"{_POWERTOOLS}/utilities/{one}" for one in ("auth_alpha", "data_masking", "kafka", "validation")),
        *(f"{_POWERTOOLS}/utilities/idempotency/persistence/{one}" for one in ("cache.py", "redis.py")),
        f"{_POWERTOOLS}/metrics/provider/datadog",
        *("pydantic/v1", "pydantic/mypy.py"),
        *("annotated_types/test_cases.py", "ulid/__main__.py"),
    }
)
"""
The command line, worker processes, the local stack and what tests use; the parts of Powertools that want packages which
are not here; pydantic's first version.
"""

_PATTERNS = (
    "*.dist-info/RECORD",
    "*.dist-info/sboms",
    f"{_POWERTOOLS}/event_handler/openapi/swagger_ui/*.min.*",
    "tzdata/zoneinfo/tzdata.zi",
    "tzdata/zoneinfo/*.tab",
)
"""What only installers read, the pages of an API's documentation, time zones in forms that Python doesn't read."""

_UNLESS_NAMED = frozenset(f"{_POWERTOOLS}/utilities/{one}" for one in ("circuit_breaker", "feature_flags", "streaming"))
"""Large parts of Powertools that Lanework doesn't use, and that stay where a project names Powertools itself."""

_DOORS = {
    "lanework/django": ("django",),
    "lanework/outbox": ("sqlalchemy", "django"),
    "lanework/schema": ("jsonschema",),
}
"""What of Lanework is there only with a library that it is for."""

_OF_THE_CLI = (
    *("typer", "click", "shellingham", "annotated-doc", "rich", "markdown-it-py", "mdurl", "pygments", "colorama"),
    "dnspython",
)
"""What Lanework needs for its command line alone, or to look up e-mail addresses, the dependent first."""

_LEAVING_OUT = frozenset({"lanework", "email-validator"})
"""Who asks for these without needing them in a function."""


@dataclass(frozen=True)
class Asked:
    """
    The lines of a requirements.txt, and of those that it names by `-r`.

    Attributes:
        lines: Without comments, options and hashes.
        is_locked: It has hashes: nothing that it doesn't name is installed.
    """

    lines: tuple[str, ...]
    is_locked: bool

    @property
    def names(self) -> frozenset[str]:
        """The packages that the lines name."""
        found = (re.match(r"[A-Za-z0-9._-]+", line) for line in self.lines)
        return frozenset(normal(one[0]) for one in found if one is not None)


@dataclass(frozen=True)
class Layer:
    """
    What decides over a file in a layer.

    Attributes:
        asked: What the layer's requirements.txt names.
        tops: What lies at the layer's top.
    """

    asked: Asked
    tops: Collection[str]

    def leaves_out(self, inside: PurePath) -> bool:
        """Tell whether a file is taken out, by its path in the layer."""
        if inside.suffix == ".pyi" or CACHE in inside.parts:
            return True
        return any(self._is_named(one) for one in (inside, *inside.parents[:-1]))

    def _is_named(self, one: PurePath) -> bool:
        path, parts = one.as_posix(), one.parts
        if path in _PATHS or (path in _UNLESS_NAMED and not self._keeps_powertools):
            return True
        libraries = _DOORS.get(path)
        if libraries is not None:
            return not any(one in self.tops for one in libraries)
        return any(len(parts) == pattern.count("/") + 1 and fnmatchcase(path, pattern) for pattern in _PATTERNS)

    @property
    def _keeps_powertools(self) -> bool:
        return not self.asked.is_locked and "aws-lambda-powertools" in self.asked.names


def read_asked(file: Path) -> Asked:
    """
    Read a requirements.txt.

    Raises:
        OSError, UnicodeDecodeError: It can't be read, or one that it names.
    """
    text = file.read_text(encoding="utf-8")
    lines: list[str] = []
    is_locked = "--hash=" in text
    for line in re.sub(r"\\\n", " ", text).splitlines():
        said = re.sub(r"(^|\s)#.*|\s--hash=\S+", "", line).strip()
        if named := re.match(r"(?:-r|--requirement)[ =]*([^\s=]\S*)", said):
            other = read_asked(file.parent / named[1])
            lines += other.lines
            is_locked |= other.is_locked
        elif said and not said.startswith("--"):
            lines.append(said)
    return Asked(lines=tuple(lines), is_locked=is_locked)


def without_the_clis(packages: Iterable[Distribution], asked: Asked) -> list[Distribution]:
    """Return the packages of a layer without those that only the command line needs, and nobody has named."""
    left = {normal(one.name): one for one in packages}
    for name in _OF_THE_CLI:
        needed = {other for of, one in left.items() if of not in _LEAVING_OUT for other in _needs(one)}
        if name not in asked.names and name not in needed:
            left.pop(name, None)
    return list(left.values())


def is_lanework(inside: PurePath) -> bool:
    """Tell Lanework's own files from those of the project that it is part of."""
    return inside.parts[0] == "lanework"


def normal(name: str) -> str:
    """Return a package's name as all of its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _needs(one: Distribution) -> set[str]:
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in one.requires or ())
    return {normal(name[0]) for name in found if name is not None}


def main(layer: Path, requirements: Path, listed: Path | None = None) -> None:
    """
    Take out of the folder `layer` what a function doesn't need; the project's own files stay.

    Args:
        listed: Names the project's own files, as `layer_files` writes it.
    """
    own = set() if listed is None else set(json.loads(listed.read_text(encoding="utf-8"))["files"])
    own = {one for one in own if not is_lanework(PurePath(one))}
    asked = read_asked(requirements)
    installed = list(distributions(path=[str(layer)]))
    kept = {one.name for one in without_the_clis(installed, asked)}
    for file in [str(file) for gone in installed if gone.name not in kept for file in gone.files or ()]:
        if ".." not in PurePath(file).parts and file not in own:
            (layer / file).unlink(missing_ok=True)
    rules = Layer(asked, {one.name for one in layer.iterdir()})
    for path in sorted(layer.rglob("*"), reverse=True):
        inside = path.relative_to(layer)
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif str(inside) not in own and (inside.parts[0] in IN_RUNTIME or rules.leaves_out(inside)):
            path.unlink()


if __name__ == "__main__":
    main(*(Path(one).absolute() for one in sys.argv[1:]))
