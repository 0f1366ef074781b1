"""`[tool.lanework.environment]`: what is refused of it, and what it is on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lanework.errors import ConfigError
from lanework.local.environment import local_environment
from lanework.local.project import Project, project_at
from lanework.local.project_config import config_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path("pyproject.toml")


def a_project(root: Path, lines: str, env_file: str | None = None) -> Project:
    (root / FILE).write_text(f"[tool.lanework.environment]\n{lines}\n")
    if env_file is not None:
        (root / ".env").write_text(env_file)
    return project_at(root)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"LANEWORK_STACK": "x"}, "LANEWORK_STACK: the name has a meaning"),
        ({"AWS_REGION": "x"}, "AWS_REGION: the name has a meaning"),
        ({"aws_profile": "x"}, "aws_profile: the name has a meaning"),
        ({"LAMBDA_TASK_ROOT": "x"}, "LAMBDA_TASK_ROOT: the name has a meaning"),
        ({"PYTHONPATH": "x"}, "PYTHONPATH: the name has a meaning"),
        ({"_HANDLER": "x"}, "_HANDLER: a name has a letter first"),
        ({"shop-url": "x"}, "shop-url: a name has a letter first"),
        ({"A": "x"}, "A: a name has a letter first, then letters, digits and _, two characters at least"),
        ({"PORT": 587}, 'PORT: must be text: write PORT = "587"'),
        (
            {"KEY": "ssm:shop/key"},
            "KEY: 'ssm:shop/key' is no reference: write it as ssm:/path/name, secretsmanager:name",
        ),
        ({"KEY": "secretsmanager:a:b:c"}, "KEY: 'secretsmanager:a:b:c' is no reference"),
        ({"KEY": "secretsmanager:"}, "KEY: 'secretsmanager:' is no reference"),
        ({"ONE": "x" * 2_000, "TWO": "y" * 2_000}, "4,006 bytes of names and values are more than the 3,072 that fit"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, dict) else "",
)
def test_a_variable_that_can_not_be_is_refused_by_name(table: Mapping[str, Any], problem: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"^\[tool\.lanework\.environment\] in pyproject\.toml: {re.escape(problem)}"
    ):
        config_of({"environment": table}, FILE)


def test_a_table_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be a table of names and texts"):
        config_of({"environment": "SHOP_URL"}, FILE)


def test_what_it_says_is_here_too_and_env_file_and_shell_count_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREE", "shell's")
    lines = 'ONE = "table\'s"\nTWO = "table\'s"\nTHREE = "table\'s"\nWHERE = "${AWS::StackName}.${AWS::Region}"'

    own = local_environment(a_project(tmp_path, lines, "TWO=file's\nTHREE=file's\n"))

    assert own.complete() == {"ONE": "table's", "TWO": "file's", "THREE": "shell's", "WHERE": "lanework.us-east-1"}


def test_a_reference_has_a_value_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_LOGIN", "me:secret")
    lines = 'PAYMENTS_KEY = "secretsmanager:shop/payments"\nMAIL_LOGIN = "ssm:/shop/mail"'

    own = local_environment(a_project(tmp_path, lines, "PAYMENTS_KEY=sk_test\n"))

    assert own.complete() == {"PAYMENTS_KEY": "sk_test", "MAIL_LOGIN": "me:secret", "LANEWORK_REFERENCES": ""}


def test_a_reference_without_one_is_a_question_that_says_what_to_write(tmp_path: Path) -> None:
    own = local_environment(a_project(tmp_path, 'PAYMENTS_KEY = "secretsmanager:shop/payments"'))

    with pytest.raises(ConfigError) as asked:
        own.complete()
    assert str(asked.value) == (
        "PAYMENTS_KEY refers to secretsmanager:shop/payments: put PAYMENTS_KEY=… into .env for the embedded stack"
    )


def test_a_change_of_the_table_counts_for_a_project_that_was_read_before(tmp_path: Path) -> None:
    project = a_project(tmp_path, 'SHOP_URL = "before"')
    a_project(tmp_path, 'SHOP_URL = "after"')

    assert local_environment(project).values == {"SHOP_URL": "after"}
