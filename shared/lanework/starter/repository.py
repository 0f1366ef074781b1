"""What a repository is made of, as far as its files show: its packages, its application, its framework."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.local.deployment.layer_files import code_files, on_path
from lanework.local.project_config import FILE, ProjectConfig, config_of, read_config
from lanework.starter.requirements import normal, read_pyproject, requirements_of, siblings_of
from lanework.starter.upgrade import BASE

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = "infra/lanework"
"""Where what is Lanework's goes, in a repository that doesn't say otherwise."""

_NO_CODE: Final = frozenset(
    {"tests", "test", "docs", "doc", "examples", "scripts", "bench", "benchmarks", "build", "dist", "infra", "handlers"}
)
"""Folders beside an application's packages that aren't deployed, though they may be packages."""

_SETTINGS: Final = re.compile(r"""["']DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """
    A folder with code.

    Attributes:
        root: The folder.
        config: What its pyproject.toml says already, and what was found for what it doesn't.
        has_app: The module that `config.app` names is there.
        django: Its settings' module; None if it isn't Django's.
        requirements: What it needs of others, as pip's requirements.
    """

    root: Path
    config: ProjectConfig
    has_app: bool
    django: str | None
    requirements: tuple[str, ...]

    @property
    def app_file(self) -> Path:
        """The file of the module that `config.app` names, relative to the root."""
        return Path(os.path.relpath(_module_file(self.root, self.config), self.root))


def read_repository(root: Path, app: str | None = None) -> Repository:
    """
    Look at a folder with code.

    Args:
        app: Where its application is, or is to be, as `module:attribute`, if somebody says so.

    Raises:
        ConfigError: It has no package, or two applications; pyproject.toml can't be used; or it is part of a project.
    """
    _refuse_a_part(root)
    siblings, django = siblings_of(root), _django(root)
    config = read_config(root / FILE) or ProjectConfig()
    is_whole = (root / BASE).is_dir()  # a project that `lanework init` made of a folder without code
    found: dict[str, object] = {}
    if not is_whole and "src" not in config.model_fields_set:
        found["src"] = tuple(_sources(root, siblings))
    if not is_whole and "folder" not in config.model_fields_set:
        found["folder"] = FOLDER
    config = config.model_copy(update=found)
    if app is not None and config.app not in (None, app):
        msg = f"[tool.lanework] app in {root / FILE} is {config.app!r}: change it there, and type lanework upgrade"
        raise ConfigError(msg)
    entry = app or config.app or _entry(root, config.src, django)
    config = config_of({**config.model_dump(), "app": entry}, root / FILE)
    return Repository(
        root=root,
        config=config,
        has_app=_module_file(root, config).is_file(),
        django=django,
        requirements=tuple(requirements_of(root, siblings)),
    )


def _refuse_a_part(root: Path) -> None:
    """Refuse a folder without a pyproject.toml that lies in a project."""
    if (root / FILE).is_file():
        return
    for one in root.parents:
        if read_config(one / FILE) is not None:
            msg = f"{root.name} lies in the project at {one}: type lanework init there"
            raise ConfigError(msg)


def _sources(root: Path, siblings: dict[str, Path]) -> Iterator[str]:
    yield from _layout(root, root)
    for one in siblings.values():
        yield from _layout(one, root)


def _layout(folder: Path, root: Path) -> list[str]:
    """Return where a folder's packages are: its `src`, or the packages themselves."""
    if _packages(folder / "src"):
        return [os.path.relpath(folder / "src", root)]
    found = [os.path.relpath(one, root) for one in _packages(folder)]
    if not found:
        msg = (
            f"no package in {folder.name}: looked for src/*/__init__.py and */__init__.py. Write one, such as "
            f'src/shop/__init__.py; or say where the code is, under [tool.lanework] in pyproject.toml: src = ["lib"]. '
            "In a folder without code, lanework init makes a whole project"
        )
        raise ConfigError(msg)
    return found


def _packages(folder: Path) -> list[Path]:
    found = sorted(one.parent for one in folder.glob("*/__init__.py"))
    return [one for one in found if one.name.isidentifier() and one.name not in _NO_CODE]


def _django(root: Path) -> str | None:
    manage = root / "manage.py"
    found = _SETTINGS.search(manage.read_text(encoding="utf-8", errors="replace")) if manage.is_file() else None
    return found[1] if found else None


def _entry(root: Path, src: tuple[str, ...], django: str | None) -> str:
    """Return the application that the code has; if it has none, where one is to be written."""
    own = [root / one for one in src if not one.startswith("..")]
    found = [entry for source in own for entry in _applications(source)]
    if len(found) > 1:
        msg = f"two applications, {' and '.join(found[:2])}: say which, such as lanework init --app {found[0]}"
        raise ConfigError(msg)
    if found:
        return found[0]
    package = _main_package(root, own, django)
    free = next(name for name in ("jobs", "lanework_jobs") if not any(package.glob(f"{name}*")))
    return f"{package.name}.{free}:app"


def _applications(source: Path) -> Iterator[str]:
    """Yield what is assigned an `App(…)` or `App.discover(…)` at the top of a module, as `module:attribute`."""
    for file in code_files(source):
        text = file.read_text(encoding="utf-8", errors="replace") if file.suffix == ".py" else ""
        if "lanework" not in text or "App" not in text:
            continue
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue  # what the code says is wrong with it is for who runs it
        module = ".".join(file.relative_to(on_path(source)).with_suffix("").parts).removesuffix(".__init__")
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=made)) if _is_app(made):
                    yield f"{module}:{name}"


def _is_app(made: ast.expr) -> bool:
    return ast.unparse(made).removeprefix("lanework.") in {"App", "App.discover"}


def _main_package(root: Path, sources: list[Path], django: str | None) -> Path:
    """Return the package that is named as the project is, else Django's, else the first."""
    packages = [one for source in sources for one in ([source] if on_path(source) != source else _packages(source))]
    wanted = [str(read_pyproject(root).get("project", {}).get("name", root.name)), (django or "").partition(".")[0]]
    by_name = {normal(one.name): one for one in packages}
    return next((by_name[normal(one)] for one in wanted if normal(one) in by_name), packages[0])


def _module_file(root: Path, config: ProjectConfig) -> Path:
    """
    Return the file of the application's module, or where it would lie.

    Raises:
        ConfigError: There is no such package.
    """
    parts = str(config.app).partition(":")[0].split(".")
    places = [on_path((root / one).resolve()).joinpath(*parts) for one in config.src]
    there = [file for one in places for file in (one / "__init__.py", one.with_suffix(".py")) if file.is_file()]
    new = [one.with_suffix(".py") for one in places if one.parent.is_dir()]
    if not there and not new:
        msg = (
            f"there is no package {'.'.join(parts[:-1])!r} in {', '.join(config.src)} for the application {config.app}"
        )
        raise ConfigError(msg)
    return (there or new)[0]
