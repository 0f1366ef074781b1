"""What `lanework init` writes, and into which folders; the template is this repository's own without the example."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lanework.errors import ConfigError
from lanework.local.deployment.template import read_template
from lanework.starter.adopt import adoption
from lanework.starter.files import CHECKOUT, DEPLOYED, OWN, PROJECT, name_for
from lanework.starter.leave_out import without_example
from lanework.starter.plan import Plan
from lanework.starter.repository import read_repository
from lanework.starter.upgrade import BASE
from lanework.starter.write import is_free, new_project

ROOT = Path(__file__).parents[3]

EXAMPLES = {
    "Parameters": {
        *("SmtpHost", "SmtpPort", "SmtpCredentialsParameter", "MailFrom"),
        *("OpsEmail", "ResetUrl", "SmsUrl", "PushUrl", "PaymentUrl", "GatewayTokenParameter"),
        *("SignInMailsPerUser", "SignInMailsMinutes"),
    },
    "Conditions": {"SmtpNeedsLogin", "GatewaysNeedToken"},
    "Resources": {"AppTable", "ApplicationPolicy"},
    "Outputs": {"AppTableName"},
}
"""What the example application has in template.yaml, by section."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = tmp_path_factory.mktemp("made") / "shop"
    shop.mkdir()
    new_project(shop).carry_out(shop)
    return shop


@cache
def template_in(folder: Path) -> Any:
    return read_template(folder / "template.yaml")


@pytest.mark.parametrize("section", EXAMPLES)
def test_the_template_is_ours_without_what_is_the_examples(made: Path, section: str) -> None:
    ours, theirs = (template_in(one)[section] for one in (ROOT, made))

    assert set(ours) - set(theirs) == EXAMPLES[section]
    assert {name: _without_example(one) for name, one in ours.items() if name in theirs} == theirs


_OF_ITS_SECRETS = ("SMTP_CREDENTIALS_PARAMETER", "GATEWAY_TOKEN_PARAMETER")


def _without_example(one: Any) -> Any:
    """Take out of a resource what belongs to the example: its jobs' policy, its secrets' variables, and schedules."""
    match one:
        case {"Tick": tick, **_schedules}:
            return {"Tick": tick}
        case dict():
            return {key: _without_example(value) for key, value in one.items() if key not in _OF_ITS_SECRETS}
        case list():
            return [_without_example(value) for value in one if not _is_of_the_example(value)]
    return one


def _is_of_the_example(statement: Any) -> bool:
    match statement:
        case {"Ref": "ApplicationPolicy"}:
            return True
    return False


def test_the_functions_get_lanework_s_variables_and_none_of_the_examples(made: Path) -> None:
    variables = template_in(made)["Globals"]["Function"]["Environment"]["Variables"]

    assert variables
    assert all(name.startswith(("LANEWORK_", "POWERTOOLS_", "AWS_LAMBDA_")) for name in variables)


def test_its_stacks_are_named_after_the_folder_and_its_parameters_are_the_templates(made: Path) -> None:
    config = tomllib.loads((made / "samconfig.toml").read_text())
    sections = {name: one["deploy"]["parameters"] for name, one in config.items() if isinstance(one, dict)}
    declared = set(template_in(made)["Parameters"])

    assert [sections[one]["stack_name"] for one in ("dev", "staging", "prod")] == [
        "shop-dev",
        "shop-staging",
        "shop-prod",
    ]
    for one in sections.values():
        assert {given.partition("=")[0] for given in one.get("parameter_overrides", [])} <= declared


def test_no_word_is_left_to_be_filled_in(made: Path) -> None:
    for file in made.rglob("*"):
        assert not file.is_file() or "@project@" not in file.read_text()
        assert not file.is_file() or "@version@" not in file.read_text()
    assert (made / ".gitignore").is_file()
    assert {str(one.relative_to(made / BASE)) for one in (made / BASE).rglob("*") if one.is_file()} == set(DEPLOYED)


def test_a_second_init_finds_nothing_to_write(made: Path) -> None:
    assert adoption(read_repository(made)) == Plan(new={})


def test_a_marked_line_takes_what_is_indented_below_it_along() -> None:
    text = "a:\n  b:  # example\n    c: 1\n\n    d: 2\n  e: 3\n\n  f: 4  # example\n\n# of all  # example\ng: 5\n"

    assert without_example(text) == "a:\n  e: 3\n\ng: 5\n"


def test_from_here_is_to_the_end_of_the_list() -> None:
    text = "a:\n  b: 1\n  # these  # example from here\n  c:\n    d: 2\n  e: 3\n\nf: 4\n"

    assert without_example(text) == "a:\n  b: 1\n\nf: 4\n"


@pytest.mark.parametrize(
    ("folder", "name"),
    [("shop", "shop"), ("My Shop_2", "my-shop-2"), ("2024", "jobs-2024"), ("Дэлгүүр", "jobs"), ("x" * 90, "x" * 40)],
)
def test_a_folders_name_becomes_one_that_a_stack_may_have(tmp_path: Path, folder: str, name: str) -> None:
    assert name_for(tmp_path / folder) == name


def test_git_and_a_virtual_environment_may_be_there_already(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()

    assert is_free(tmp_path)
    assert "template.yaml" in new_project(tmp_path).new


def test_a_repository_as_it_begins_keeps_its_readme_and_its_gitignore_gets_what_it_lacks(tmp_path: Path) -> None:
    for one, text in (("README.md", "mine"), ("LICENSE", "mine"), (".gitignore", "*.log\n.env\n.venv")):
        (tmp_path / one).write_text(text)

    assert is_free(tmp_path)
    plan = new_project(tmp_path)

    assert {"README.md", ".gitignore"}.isdisjoint(plan.new)
    assert plan.added == {".gitignore": ".venv-sam/\n.lanework/\n.aws-sam/\n__pycache__/\n.pytest_cache/\n"}
    assert plan.changed[".gitignore"] == f"*.log\n.env\n.venv\n{plan.added['.gitignore']}"


@pytest.mark.parametrize(
    ("there", "named"),
    [
        (["notes.txt"], "notes.txt"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
        ([".lanework-base"], ".lanework-base"),
    ],
)
def test_a_folder_that_is_not_empty_is_refused_in_one_line_and_left_alone(
    tmp_path: Path, there: list[str], named: str
) -> None:
    for one in there:
        (tmp_path / one).write_text("mine")

    with pytest.raises(ConfigError) as refused:
        new_project(tmp_path)

    assert f"holds {named}; try: mkdir shop && cd shop" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(there)


@pytest.mark.parametrize(
    "named",
    [
        '[project]\nname = "Web_Shop"\n',
        '[tool.poetry]\nname = "web-shop"\n',
        '[project]\nname = "web.shop"\n[tool.poetry]\n',
    ],
)
def test_a_project_is_named_as_its_pyproject_names_it_whatever_the_folder_is_called(tmp_path: Path, named: str) -> None:
    (tmp_path / "pyproject.toml").write_text(named)

    assert name_for(tmp_path) == "web-shop"


def test_a_wheel_has_every_file_that_init_takes_from_this_repository() -> None:
    """`lanework init` of the wheel ended with a FileNotFoundError, and that of a checkout worked."""
    tool = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]
    packed = {*tool["hatch"]["build"]["targets"]["wheel"]["force-include"]}

    assert {one for one in (*DEPLOYED, *OWN) if not (PROJECT / one.removeprefix(".")).is_file()} == packed
