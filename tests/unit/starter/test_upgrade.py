"""`lanework upgrade`: what a newer release changes, apart from what the project changed itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lanework.errors import ConfigError
from lanework.starter import BASE, difference, make_project

OLDER = "    Description: As an older release had it.\n"
NEWER = "    Default: python3.13\n"

APPLY = ("git", "apply", "-p1", "-")


def apply(patch: str, project: Path) -> None:
    subprocess.run(APPLY, input=patch, cwd=project, text=True, check=True)


@pytest.fixture
def made_earlier(tmp_path: Path) -> Path:
    """A project of an older release, whose owner has changed the template, too."""
    make_project(tmp_path)
    for place in (tmp_path / BASE / "template.yaml", tmp_path / "template.yaml"):
        text = place.read_text()
        assert text.count(NEWER) == 1
        place.write_text(text.replace(NEWER, OLDER))
    template = tmp_path / "template.yaml"
    template.write_text(template.read_text() + "  MyOutput:\n    Value: mine\n")
    return tmp_path


def test_what_this_release_made_has_nothing_to_upgrade(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "template.yaml").write_text("changed: by its owner\n")

    assert difference(tmp_path) == ""


def test_only_what_the_release_changed_is_shown(made_earlier: Path) -> None:
    changed = [one for one in difference(made_earlier).splitlines() if one.startswith(("+", "-"))]

    once = [f"-{OLDER.rstrip()}", f"+{NEWER.rstrip()}"]
    assert changed == [
        *("--- a/template.yaml", "+++ b/template.yaml", *once),
        *(f"--- a/{BASE}/template.yaml", f"+++ b/{BASE}/template.yaml", *once),
    ]


def test_applied_it_keeps_the_owners_changes_and_there_is_nothing_left_to_upgrade(made_earlier: Path) -> None:
    apply(difference(made_earlier), made_earlier)

    template = (made_earlier / "template.yaml").read_text()
    assert NEWER in template
    assert OLDER not in template
    assert template.endswith("  MyOutput:\n    Value: mine\n")
    assert difference(made_earlier) == ""


def test_a_file_that_is_new_in_the_release_is_made(tmp_path: Path) -> None:
    make_project(tmp_path)
    for place in (tmp_path / BASE / "handlers/api.py", tmp_path / "handlers/api.py"):
        place.unlink()

    apply(difference(tmp_path), tmp_path)

    assert "handler = api(app)" in (tmp_path / "handlers/api.py").read_text()
    assert difference(tmp_path) == ""


def test_a_project_without_a_base_is_told_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no \.lanework-base/template\.yaml to compare with"):
        difference(tmp_path)
