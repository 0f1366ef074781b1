"""Folders of code, built by their Makefiles and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lanework.errors import StackError
from lanework.local.deployment.code_assets import built_code, code_folders, content_hash
from lanework.local.deployment.template import read_template
from lanework.local.project import Project
from tests.support.sam import ARCHITECTURE, ROOT, RUNTIME

TEMPLATE: dict[str, Any] = {
    "Globals": {"Function": {"CodeUri": "handlers/"}},
    "Resources": {
        "Report": {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "handlers.report.handler"}}
    },
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "report.py").write_text("import json\n")
    (tmp_path / "handlers" / "Makefile").write_text((ROOT / "handlers" / "Makefile").read_text())
    return Project(root=tmp_path)


def build(project: Project) -> Path:
    return built_code(project, TEMPLATE, RUNTIME, ARCHITECTURE)["handlers/"]


def test_the_template_names_the_layer_and_one_folder_of_functions() -> None:
    assert {"shared/": "SharedLayer", "handlers/": "CriticalWorker"} == code_folders(
        read_template(ROOT / "template.yaml")
    )


def test_code_is_built_once_and_again_when_it_changes(project: Project) -> None:
    first = build(project)
    assert (first / "handlers" / "report.py").is_file()
    assert not (first / "handlers" / "Makefile").exists()
    assert first == build(project)

    (project.handlers / "report.py").write_text("import csv\n")

    assert content_hash(build(project)) != content_hash(first)


def test_lambda_may_read_what_is_built(project: Project) -> None:
    folder = build(project)

    assert all(one.stat().st_mode & 0o004 for one in (folder, *folder.rglob("*")))


def test_what_a_function_misses_fails_each_time_with_file_and_line(project: Project) -> None:
    (project.handlers / "report.py").write_text("import json\nimport reportlab_pro\n")

    for _ in range(2):
        with pytest.raises(StackError, match=r"report\.py:2: imports reportlab_pro"):
            build(project)


def test_a_build_that_fails_says_why(project: Project) -> None:
    (project.handlers / "Makefile").write_text(
        "build-%:\n\t@printf '\\033[31mno compiler\\033[0m\\n\\033[0m' >&2; exit 1\n"
    )

    with pytest.raises(StackError, match=r"^building handlers failed: no compiler$"):
        build(project)


def test_a_folder_without_a_makefile_is_one_line(project: Project) -> None:
    (project.handlers / "Makefile").unlink()

    with pytest.raises(StackError, match="handlers/Makefile is missing, which builds Report; try: lanework upgrade"):
        build(project)
