"""What a repository's pyproject.toml says that its code needs: packages of others, and packages that lie beside it."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from lanework.errors import ConfigError
from lanework.local.project_config import FILE

if TYPE_CHECKING:
    from pathlib import Path

_VERSION: Final = re.compile(r"\d+(\.\d+)*$")


def read_pyproject(folder: Path) -> dict[str, Any]:
    """
    Return what a folder's pyproject.toml holds; nothing if there is none.

    Raises:
        ConfigError: It can't be read.
    """
    file = folder / FILE
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, ValueError) as error:
        msg = f"can't read {file}: {error}"
        raise ConfigError(msg) from error


def name_of(requirement: str) -> str:
    """Return the package that a requirement is of, in the form in which names are compared."""
    found = re.match(r"\s*([A-Za-z0-9._-]+)", requirement)
    return normal(found[1]) if found else ""


def normal(name: str) -> str:
    """Return a package's name in the form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def siblings_of(folder: Path) -> dict[str, Path]:
    """
    Return the packages that lie beside a repository's own, by name, those that they need included.

    They are what uv's `[tool.uv.sources]` or poetry's dependencies name by path, or as members of the same workspace.
    """
    found: dict[str, Path] = {}
    left = [folder.resolve()]
    while left:
        here = left.pop()
        for name, there in _beside(here).items():
            if name not in found and there != folder.resolve():
                found[name] = there
                left.append(there)
    return found


def requirements_of(folder: Path, siblings: dict[str, Path]) -> list[str]:
    """Return what a repository and its siblings need of others, each package once, as pip's requirements."""
    needed = [one for each in (folder, *siblings.values()) for one in _needs(read_pyproject(each))]
    by_name = {name_of(one): one for one in reversed(needed)}
    return [by_name[name] for name in sorted(by_name) if name not in siblings]


def _beside(folder: Path) -> dict[str, Path]:
    tool = read_pyproject(folder).get("tool", {})
    members = _members(folder)
    found: dict[str, Path] = {}
    for name, source in tool.get("uv", {}).get("sources", {}).items():
        match source:
            case {"workspace": True} if normal(name) in members:
                found[normal(name)] = members[normal(name)]
            case {"path": str(path)}:
                found[normal(name)] = (folder / path).resolve()
    for name, said in tool.get("poetry", {}).get("dependencies", {}).items():
        if isinstance(said, dict) and "path" in said:
            found[normal(name)] = (folder / said["path"]).resolve()
    return {name: there for name, there in found.items() if there.is_dir()}


def _members(folder: Path) -> dict[str, Path]:
    """Return the packages of the uv workspace that a folder lies in, by name."""
    for root in (folder, *folder.parents):
        workspace = read_pyproject(root).get("tool", {}).get("uv", {}).get("workspace")
        if workspace is not None:
            folders = [one for pattern in workspace.get("members", []) for one in root.glob(pattern)]
            named = {
                one: read_pyproject(one).get("project", {}).get("name") for one in folders if (one / FILE).is_file()
            }
            return {normal(name): one.resolve() for one, name in named.items() if name}
    return {}


def _needs(pyproject: dict[str, Any]) -> list[str]:
    said = [str(one) for one in pyproject.get("project", {}).get("dependencies", [])]
    for name, version in pyproject.get("tool", {}).get("poetry", {}).get("dependencies", {}).items():
        if name != "python" and name_of(name) not in {name_of(one) for one in said}:
            said.append(_of_poetry(name, version))
    return said


def _of_poetry(name: str, said: object) -> str:
    """Return a dependency as poetry writes it, `^2.1` say, as a requirement."""
    extras = ""
    if isinstance(said, list):  # several, by platform say
        return name
    if isinstance(said, dict):
        extras = f"[{','.join(said['extras'])}]" if said.get("extras") else ""
        said = said.get("version", "*")
    ranges = [_range(one.strip()) for one in str(said).split(",")]
    return f"{name}{extras}{','.join(one for one in ranges if one)}"


def _range(said: str) -> str:
    sign, version = (said[0], said[1:]) if said[:1] in "^~" else ("", said)
    if said == "*":
        return ""
    if not _VERSION.match(version):
        return said
    numbers = [int(one) for one in version.split(".")]
    if not sign:
        return f"=={version}"
    if sign == "~":
        kept = numbers[:2]
    else:
        kept = numbers[: next((at for at, one in enumerate(numbers) if one), len(numbers) - 1) + 1]
    above = [*kept[:-1], kept[-1] + 1]
    return f">={version},<{'.'.join(map(str, above))}"
