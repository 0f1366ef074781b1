"""`.env` on this machine: what is read of it, what counts more, and how a mistake in it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lanework.errors import ConfigError
from lanework.local.deployment.template import functions, with_variables
from lanework.local.environment import local_environment
from lanework.local.project import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(root=tmp_path)


def write(project: Project, text: str) -> None:
    (project.root / ".env").write_text(text)


def test_without_a_file_there_is_nothing_to_say(project: Project) -> None:
    own = local_environment(project)

    assert (dict(own.values), own.said()) == ({}, None)


def test_what_is_read_is_named_and_no_value_is_shown(project: Project) -> None:
    write(project, "# of the shop\nexport SHOP_URL=http://127.0.0.1:8000\nPAYMENTS_KEY='sk # 1'\nEMPTY=\n")

    own = local_environment(project)

    assert own.values == {"SHOP_URL": "http://127.0.0.1:8000", "PAYMENTS_KEY": "sk # 1", "EMPTY": ""}
    assert own.said() == ".env: EMPTY, PAYMENTS_KEY, SHOP_URL"


def test_what_the_shell_sets_counts_more(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", "http://127.0.0.1:9000")
    write(project, "SHOP_URL=http://127.0.0.1:8000\n")

    assert local_environment(project).values == {"SHOP_URL": "http://127.0.0.1:9000"}


def test_a_stack_or_a_profile_in_it_leads_nobody_to_aws(project: Project) -> None:
    write(project, "LANEWORK_STACK=shop-prod\nAWS_PROFILE=prod\nPYTHONPATH=/elsewhere\nSHOP_URL=x\n")

    own = local_environment(project)

    assert own.values == {"SHOP_URL": "x"}
    assert own.said() == (
        ".env: SHOP_URL; AWS_PROFILE, LANEWORK_STACK, PYTHONPATH in it: not for the embedded stack, left out"
    )


@pytest.mark.parametrize(("text", "line"), [("A=1\nfoo bar\n", 2), ("\n\nNAME\n", 3), ("A='x\n", 1), ("B=1\n=3\n", 2)])
def test_a_line_that_makes_no_sense_is_named(project: Project, text: str, line: int) -> None:
    write(project, text)

    with pytest.raises(ConfigError, match=rf"^\.env:{line}: write NAME=value, with quotes"):
        local_environment(project)


def test_a_file_that_nobody_can_read_is_one_line(project: Project) -> None:
    (project.root / ".env").mkdir()

    with pytest.raises(ConfigError, match=r"^can't read \.env: Is a directory$"):
        local_environment(project)


def test_a_file_of_another_encoding_is_one_line(project: Project) -> None:
    (project.root / ".env").write_bytes("NAME=Jürgen".encode("latin-1"))

    with pytest.raises(ConfigError, match=r"^\.env is no UTF-8 text: "):
        local_environment(project)


def test_functions_here_have_it_rather_than_what_globals_says_and_a_function_keeps_its_own() -> None:
    template = {
        "Globals": {"Function": {"Environment": {"Variables": {"SMTP_HOST": "", "OTHER": "1"}}}},
        "Resources": {
            "Worker": {"Type": "AWS::Serverless::Function", "Properties": {}},
            "Clock": {
                "Type": "AWS::Serverless::Function",
                "Properties": {"Environment": {"Variables": {"SMTP_HOST": "none"}}},
            },
        },
    }

    worker, clock = (
        one["Environment"]["Variables"] for one in functions(with_variables(template, {"SMTP_HOST": "127.0.0.1"}))
    )

    assert worker == {"SMTP_HOST": "127.0.0.1", "OTHER": "1"}
    assert clock == {"SMTP_HOST": "none", "OTHER": "1"}
