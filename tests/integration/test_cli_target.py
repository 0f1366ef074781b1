"""Which stack a command is for: the options that name it, the line that says it, and what a production stack asks."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest

from lanework.cli.main import app
from lanework.cli.production import TAG
from lanework.cli.target import Target
from lanework.embedded import StackHandle
from lanework.errors import ConfigError, InvalidOptionError, LaneworkError, NotConfirmedError
from tests.support.commands import first_line, run
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from pathlib import Path

    import typer

OFFLINE = {"init", "upgrade", "terraform", "test", "check", "demo", "dev", "env", "new", "hash", "probe"}


def commands_of(group: typer.Typer) -> dict[str, set[str]]:
    """Return the options of each command."""
    found = {str(one.name): set(getattr(one.callback, "__annotations__", {})) for one in group.registered_commands}
    for one in group.registered_groups:
        assert one.typer_instance is not None
        found |= commands_of(one.typer_instance)
    return found


def make_production(stack: str, endpoint: str) -> None:
    cloudformation = boto3.client("cloudformation", region_name=REGION, endpoint_url=endpoint)
    template = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    cloudformation.create_stack(StackName=stack, TemplateBody=template, Tags=[{"Key": TAG, "Value": "true"}])


def test_every_command_that_talks_to_a_stack_takes_the_three_options() -> None:
    without = {name for name, options in commands_of(app).items() if not {"stack", "region", "profile"} <= options}

    assert without <= OFFLINE
    assert {"init", "dev", "check"} <= without


def test_the_named_stack_is_meant_and_not_the_environments(stack: str, moto_endpoint: str) -> None:
    make_stack("other", moto_endpoint)

    told = run("enqueue", "demo.greet", "--job-id", "job-1", "--stack", "other", "--region", REGION)

    assert told.stderr == f"stack other in {REGION}, at {moto_endpoint}\n"
    assert "demo.greet" in run("get", "job-1", "--stack", "other").stdout
    with pytest.raises(LaneworkError, match="no job"):
        run("get", "job-1")
    assert os.environ["LANEWORK_STACK"] == stack


@pytest.mark.parametrize(
    "words",
    [
        ("enqueue", "demo.greet"),
        ("pause", "--lane", "low"),
        ("resume", "--lane", "low"),
        ("clean", "--older-than", "2d", "--yes"),
    ],
)
@pytest.mark.usefixtures("stack")
def test_what_changes_something_says_the_stack_first(words: tuple[str, ...]) -> None:
    assert run(*words).stderr.startswith(first_line())


@pytest.mark.usefixtures("stack")
def test_what_only_looks_says_nothing_of_it() -> None:
    assert [run(*words).stderr for words in (("list",), ("pause",), ("stats",))] == ["", "", ""]


@pytest.mark.parametrize(("answer", "is_paused"), [("yes\n", False), ("\n\n", False), ("{stack}\n", True)])
def test_a_production_stack_asks_for_its_name(answer: str, is_paused: bool, stack: str, moto_endpoint: str) -> None:
    make_production(stack, moto_endpoint)

    try:
        run("pause", "--lane", "low", stdin=answer.format(stack=stack))
    except NotConfirmedError as error:
        assert "nothing was changed" in str(error)  # noqa: PT017 - one of three asks what becomes of the pause

    assert run("pause").stdout == ("lane:low\n" if is_paused else "nothing is paused\n")


def test_a_script_names_a_production_stack_on_its_command_line(stack: str, moto_endpoint: str) -> None:
    make_production(stack, moto_endpoint)

    with pytest.raises(NotConfirmedError, match=f"--stack {stack} --yes"):
        run("pause", "--lane", "low", "--yes")
    run("pause", "--lane", "low", "--yes", "--stack", stack)

    assert run("pause").stdout == "lane:low\n"


@pytest.mark.usefixtures("stack")
def test_another_stack_asks_for_no_name() -> None:
    assert run("pause", "--lane", "low").stdout == "paused lane:low\n"


def test_a_profile_counts_more_than_keys_of_the_environment_and_brings_its_region(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(f"[profile shop]\nregion = {REGION}\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)

    assert run("enqueue", "demo.greet", "--profile", "shop").stderr.startswith(f"stack {stack} in {REGION}")
    with pytest.raises(ConfigError, match="shopp"):
        run("list", "--profile", "shopp")


def test_a_region_beside_the_embedded_stack_is_refused_unless_another_stack_is_named() -> None:
    running = StackHandle(
        endpoint="http://127.0.0.1:4566", region=REGION, stack="shop", pid=1, started_at=datetime.now(UTC)
    )

    assert Target().is_embedded(running)
    assert Target(stack="shop").is_embedded(running)
    assert not Target(stack="shop-prod", region="eu-west-1").is_embedded(running)
    for one in (Target(region="eu-west-1"), Target(profile="shop"), Target(stack="shop", profile="shop")):
        with pytest.raises(InvalidOptionError, match="name the other by --stack"):
            one.is_embedded(running)


@pytest.mark.usefixtures("stack")
def test_a_stack_on_aws_whose_tags_can_not_be_read_may_be_a_production_stack(
    moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", moto_endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://127.0.0.1:1")

    with pytest.raises(NotConfirmedError, match="nobody answered"):
        run("pause", "--lane", "low")

    assert run("pause").stdout == "nothing is paused\n"
