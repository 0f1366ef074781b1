"""What is deployed again: what changed since the deployment, whenever files began to be watched."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lanework.local.project import Project, project_at
from lanework.local.stack.watch import changes, versions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name in ("handlers/worker.py", "shared/jobs/__init__.py", "shared/jobs/mail.py", "template.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return project_at(tmp_path)


def first_of(project: Project, since: dict[Path, tuple[int, int] | None]) -> list[str]:
    """Return what changed by the first look."""
    looks = changes(project, threading.Event(), since=since)
    return [project.shown(one) for one in next(looks)]


def test_an_edit_after_the_deployment_and_before_files_are_watched_is_deployed(project: Project) -> None:
    """`lanework dev` was up and said so, and an edit of that moment was never deployed."""
    deployed = dict(versions(project))
    (project.shared / "jobs" / "mail.py").write_text("RATE = 2\n")
    (project.shared / "jobs" / "new.py").write_text("")
    (project.handlers / "worker.py").unlink()
    (project.root / ".env").write_text("KEY=1\n")

    assert first_of(project, deployed) == [".env", "handlers/worker.py", "shared/jobs/mail.py", "shared/jobs/new.py"]


def test_what_is_as_it_was_deployed_is_not_deployed_again(project: Project) -> None:
    assert first_of(project, dict(versions(project))) == []
