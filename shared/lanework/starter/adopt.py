"""What `lanework init` writes into a repository with code: what is missing, in a folder of its own."""

from __future__ import annotations

import os
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.local.project_config import FILE, ProjectConfig, config_of
from lanework.starter.files import name_for, own_file
from lanework.starter.plan import Plan, appended, lines_to_ignore
from lanework.starter.product import product_of
from lanework.starter.requirements import name_of, read_pyproject
from lanework.starter.upgrade import BASE, RELEASE

if TYPE_CHECKING:
    from lanework.starter.repository import Repository

IGNORED: Final = (".lanework/", ".aws-sam/", ".env")
"""What git is to leave alone: the embedded stack's state, what was built, and values for this machine."""

_IMPORTED: Final = "from lanework.django import DatabaseConnections, families"
_JOINED: Final = "App(greetings, *families(), middleware=[DatabaseConnections()])"
"""What the application of a Django project has besides: all of its tasks, and its mail."""

_TABLE: Final = re.compile(r"^\[tool\.lanework\][ \t]*(#.*)?$", re.MULTILINE)


def adoption(repository: Repository) -> Plan:
    """
    Return what makes a project of a repository; nothing is written yet.

    Raises:
        ConfigError: Its pyproject.toml has a `[tool.lanework]` that can't be completed by adding lines.
    """
    root = repository.root
    new = {path: text for path, text in _files(repository).items() if not (root / path).exists()}
    ignored = [one for one in IGNORED if not (root / one).is_file()]  # a .env of theirs may be in git on purpose
    edits = {FILE: _of_pyproject(repository), ".gitignore": lines_to_ignore(root, ignored)}
    for path in [one for one, added in edits.items() if added and not (root / one).is_file()]:
        new[path] = edits.pop(path)
    added = {path: text for path, text in edits.items() if text}
    changed = {path: _with(root / path, text) for path, text in added.items()}
    if FILE in changed:
        _check(root, changed[FILE], added[FILE])
    return Plan(new=new, changed=changed, added=added)


def _files(repository: Repository) -> dict[str, str]:
    """Return all that a repository has of Lanework, by path."""
    config, name = repository.config, name_for(repository.root)
    made = product_of(repository.root, config, schedules="")
    base = {f"{BASE}/{path}": text for path, text in made.items()} | {RELEASE: f"{version('lanework')}\n"}
    own = {path: own_file(f"repository/{path}", name) for path in ("Makefile", "README.md")}
    own["samconfig.toml"] = own_file("samconfig.toml", name)
    own["shared/requirements.txt"] = _requirements(repository)
    files = {os.path.normpath(Path(config.folder) / path): text for path, text in {**made, **own, **base}.items()}
    if not repository.has_app:
        files[str(repository.app_file)] = _application(repository)
    return files


def _application(repository: Repository) -> str:
    text = own_file("repository/jobs.py", name_for(repository.root))
    setup = ""
    if repository.django is not None:
        setup = own_file("repository/django.py", "").replace("@settings@", repository.django) + "\n"
        text = text.replace("\n\ngreetings =", f"\n{_IMPORTED}\n\ngreetings =").replace("App(greetings)", _JOINED)
    head, _, rest = text.partition("\n\n")
    attribute = str(repository.config.app).partition(":")[2]
    return f"{head}\n\n{setup}{rest}".replace("app = App(", f"{attribute} = App(")


def _requirements(repository: Repository) -> str:
    """Return what the functions have: what pyproject.toml says, else what a requirements.txt beside it does."""
    lines = list(repository.requirements)
    beside = repository.root / "requirements.txt"
    if not lines and beside.is_file():
        lines = [f"-r {os.path.relpath(beside, repository.root / repository.config.folder / 'shared')}"]
        named = {name_of(line) for line in beside.read_text(encoding="utf-8", errors="replace").splitlines()}
    else:
        named = {name_of(line) for line in lines}
    if "lanework" not in named:
        lines.insert(0, f"lanework=={version('lanework')}")
    return own_file("repository/requirements.txt", "") + "".join(f"{line}\n" for line in lines)


def _of_pyproject(repository: Repository) -> str:
    """Return the lines that `[tool.lanework]` lacks, with its heading where there is none."""
    said = read_pyproject(repository.root).get("tool", {}).get("lanework")
    config, fields = repository.config, ProjectConfig.model_fields
    src = ", ".join(f'"{one}"' for one in config.src)
    lines = {"app": f'app = "{config.app}"', "src": f"src = [{src}]", "folder": f'folder = "{config.folder}"'}
    lacking = [key for key in lines if key not in (said or {}) and getattr(config, key) != fields[key].default]
    text = "".join(f"{lines[key]}\n" for key in lacking)
    return f"[tool.lanework]\n{text}" if said is None else text


def _with(file: Path, added: str) -> str:
    """Return what a file holds with lines added: to the table that it has, or at its end."""
    text = file.read_text(encoding="utf-8")
    heading = _TABLE.search(text) if file.name == FILE else None
    if heading is None:
        return appended(file, added, gap="\n" if file.name == FILE else "")
    return f"{text[: heading.end()]}\n{added.rstrip()}{text[heading.end() :]}"


def _check(root: Path, text: str, added: str) -> None:
    """Refuse what an added line would break, such as a table that was written inline."""
    try:
        done = config_of(tomllib.loads(text)["tool"]["lanework"], root / FILE)
    except (tomllib.TOMLDecodeError, KeyError):
        done = None
    if done is None or done.app is None:
        lines = ", ".join(added.strip().splitlines())
        msg = (
            f"can't add to [tool.lanework] in {root / FILE} as it is written: add {lines}, and type lanework init again"
        )
        raise ConfigError(msg)


def next_steps(repository: Repository) -> list[str]:
    """Return what its user does next, a line each."""
    config = repository.config
    steps = [
        f"made. The application is {config.app}, in {repository.app_file}",
        (
            f"next: install lanework[local]=={version('lanework')} into this repository's environment, such as by "
            "`uv add --dev` or `pip install`; then `lanework dev`"
        ),
        (
            f"{config.folder}/README.md has the commands that follow; {config.folder}/shared/requirements.txt is what "
            "the functions have installed"
        ),
    ]
    if repository.django is not None:
        how = (
            f"{repository.app_file} sets up Django with {repository.django}, and joins its tasks; say LANEWORK_APP = "
            f'"{config.app}" in the settings; import it from views, not from models.py'
            if not repository.has_app
            else f'{repository.app_file} must set up Django before it imports models: os.environ.setdefault("DJANGO_'
            f'SETTINGS_MODULE", "{repository.django}"), then django.setup()'
        )
        steps.insert(1, how)
    return steps
