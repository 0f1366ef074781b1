from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lanework.embedded import handle_file, running_at
from lanework.errors import ConfigError
from lanework.settings import EventSettings, Settings

FULL = {
    "LANEWORK_STACK": "shop-prod",
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
    "LANEWORK_ACCOUNT": "123456789012",
}


def test_the_environment_is_read_into_one_value() -> None:
    settings = Settings.from_env(FULL)

    assert ("shop-prod", "eu-west-1", "http://127.0.0.1:4566", "123456789012") == (
        *(settings.stack, settings.region),
        *(settings.endpoint, settings.account),
    )


def test_the_look_ahead_is_sqs_own_unless_it_is_said() -> None:
    assert Settings.from_env(FULL).look_ahead_s == 900
    assert Settings.from_env({**FULL, "LANEWORK_LOOK_AHEAD": "20"}).look_ahead_s == 20


def test_the_default_region_serves_where_no_region_is_set() -> None:
    assert Settings.from_env({"LANEWORK_STACK": "a", "AWS_DEFAULT_REGION": "us-east-1"}).region == "us-east-1"


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"set LANEWORK_STACK \(.*\) and AWS_REGION, or start the embedded stack"):
        Settings.from_env({})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, in which this process is, and whose embedded stack was killed."""
    for name in ("LANEWORK_STACK", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    handle_file(tmp_path).parent.mkdir()
    gone = {"endpoint": "http://127.0.0.1:1", "region": "us-east-1", "stack": "shop", "pid": os.getpid()}
    handle_file(tmp_path).write_text(json.dumps({**gone, "started_at": "2026-01-01T00:00:00+00:00"}))
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    return tmp_path


def test_a_project_whose_embedded_stack_is_gone_never_means_aws(project: Path) -> None:
    with pytest.raises(ConfigError, match="set LANEWORK_STACK"):
        Settings.from_env()

    assert running_at(project) is None


def test_a_named_stack_is_meant_wherever_the_process_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANEWORK_STACK", "shop-prod")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    settings = Settings.from_env()

    assert handle_file(project).is_file()
    assert (settings.stack, settings.is_embedded) == ("shop-prod", False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LANEWORK_STACK", "1shop"),
        ("LANEWORK_STACK", "a" * 49),
        ("LANEWORK_ACCOUNT", "12"),
        ("LANEWORK_LOOK_AHEAD", "0"),
        ("LANEWORK_LOOK_AHEAD", "901"),
        ("LANEWORK_LOOK_AHEAD", "soon"),
    ],
)
def test_what_is_malformed_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Settings.from_env({**FULL, name: value})


def test_who_is_told_is_off_until_it_is_asked_for() -> None:
    plain = {"LANEWORK_STACK": "shop", "AWS_REGION": "eu-west-1"}
    settings = Settings.from_env(plain)
    assert (settings.webhook, settings.webhooks_to_private) == (None, False)
    assert Settings.from_env({**plain, "LANEWORK_WEBHOOKS_TO_PRIVATE": "true"}).webhooks_to_private


def test_the_bus_gets_nothing_unless_it_is_to_get_ends_or_everything() -> None:
    assert EventSettings.from_env({}) == EventSettings(which="off", bus="default")
    assert EventSettings.from_env({"LANEWORK_EVENTS": "all", "LANEWORK_EVENT_BUS": "shop"}).which == "all"
    with pytest.raises(ConfigError, match="LANEWORK_EVENTS must be off, ends or all, got 'some'"):
        EventSettings.from_env({"LANEWORK_EVENTS": "some"})


def test_a_secret_is_in_no_text_of_the_settings() -> None:
    env = {"LANEWORK_STACK": "shop", "AWS_REGION": "eu-west-1", "LANEWORK_WEBHOOK_SECRET": "whsec_hidden"}

    assert "whsec_hidden" not in repr(Settings.from_env(env))
