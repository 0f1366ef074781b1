"""What a cold start loads: a change that loads more, or a library that isn't used on the way, fails here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lanework.local.emulator.subprocess_env import clean_environment

ROOT = Path(__file__).parents[2]

_NEVER = {"jinja2", "jsonschema", "markupsafe", "typer", "rich", "click", "yaml", "watchfiles", "samtranslator"}
_NO_AWS = {"boto3", "botocore", "pynamodb", "aws_lambda_powertools", "s3transfer", "urllib3"}
_PARSER = "aws_lambda_powertools.utilities.parser"
_NOT_OURS = (
    "lanework.django",
    "lanework.http",
    "lanework.cli",
    "lanework.local",
    "lanework.doctor",
    "lanework.starter",
    "lanework.memory",
)


def modules_of(statement: str) -> set[str]:
    """Return what a fresh interpreter has loaded after a statement, beyond what it loads by itself."""
    code = f"import sys, json; before = set(sys.modules); {statement}; print(json.dumps([*set(sys.modules) - before]))"
    environment = {
        **clean_environment(),
        "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}",
        "LANEWORK_STACK": "shop-dev",
        "LANEWORK_LANE": "high",
        "AWS_REGION": "eu-west-1",
        "APP_TABLE": "shop-dev-app",
        "POWERTOOLS_SERVICE_NAME": "shop-dev",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("statement", "most", "never"),
    [
        ("import lanework", 4, _NEVER | _NO_AWS | {"pydantic"}),
        ("import handlers.worker", 122, _NEVER),
        ("import handlers.clock", 133, _NEVER),
        ("import handlers.stream", 99, _NEVER | {"jobs"}),
        ("import handlers.events", 124, _NEVER),
    ],
)
def test_a_cold_start_loads_no_more_of_lanework_than_it_did_and_no_library_it_does_not_use(
    statement: str, most: int, never: set[str]
) -> None:
    loaded = modules_of(statement)

    assert {one.partition(".")[0] for one in loaded} & never == set()
    ours = sorted(one for one in loaded if one.partition(".")[0] == "lanework")
    assert [one for one in ours if one.startswith(_NOT_OURS)] == []
    assert len(ours) <= most, f"load what is used seldom where it is used: {ours}"


@pytest.mark.parametrize("handler", ["worker", "clock", "api", "stream"])
def test_nothing_of_aws_events_is_loaded_by_who_gets_none(handler: str) -> None:
    loaded = modules_of(f"import handlers.{handler}")

    assert [one for one in loaded if one.startswith("lanework.aws_events")] == []


def test_the_api_loads_what_answers_a_request_at_the_first_one_for_it() -> None:
    loaded = modules_of("import handlers.api")
    ours = sorted(one for one in loaded if one.partition(".")[0] == "lanework")

    assert {one.partition(".")[0] for one in loaded} & _NEVER == set()
    parts = {
        "lanework.http.api.jobs",
        "lanework.http.api.deadletters",
        "lanework.http.api.responses",
        "lanework.http.dashboard",
    }
    assert parts & loaded == set()
    assert len(ours) <= 128, f"load what is used seldom where it is used: {ours}"


@pytest.mark.parametrize("handler", ["worker", "clock", "api", "stream", "events"])
def test_the_parser_of_powertools_is_loaded_by_no_function_of_who_does_not_use_it(handler: str) -> None:
    assert [one for one in modules_of(f"import handlers.{handler}") if one.startswith(_PARSER)] == []


@pytest.mark.parametrize("handler", ["worker", "clock", "api", "stream"])
def test_garbage_is_looked_for_again_once_a_function_is_loaded_and_not_in_what_was(handler: str) -> None:
    assert "gc" in modules_of(f"import handlers.{handler}, gc; assert gc.isenabled(); assert gc.get_freeze_count()")
