"""JSON and YAML in documents can be read, and is what it says that it is."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from samtranslator.yaml_helper import yaml_parse

from lanework.local.project_config import config_of
from tests.unit.docs.pages import ROOT, Block, blocks, blocks_of

_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z]+\*?")


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_can_be_read_and_a_policy_is_one(block: Block) -> None:
    value = json.loads(block.text)

    for statement in _statements(value):
        needed, may = (
            {"Effect", "Action", "Resource"},
            {"Sid", "Principal", "Condition"},
        )  # a principal: of a key's policy
        assert needed <= set(statement) <= needed | may
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all(_ACTION.fullmatch(action) for action in actions)


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_can_be_read(block: Block) -> None:
    assert isinstance(yaml_parse(block.text), dict)  # CloudFormation's short forms, too


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_toml_can_be_read_and_what_is_lanework_s_own_can_be_used(block: Block) -> None:
    shown = tomllib.loads(block.text)
    if "tool" in shown:  # else it is of samconfig.toml
        config_of(shown["tool"]["lanework"], Path("pyproject.toml"))


def test_the_event_that_is_shown_is_one_by_its_schema() -> None:
    schema = json.loads((ROOT / "docs" / "job-event.v1.schema.json").read_text())
    shown = [json.loads(block.text) for block in blocks_of("docs/events.md") if block.language == "json"]

    for event in shown:
        jsonschema.validate(event | {"id": event["id"].replace("…", "0" * 28)}, schema)
    assert shown


def _statements(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.get("Statement", []))
    return [one for one in value if isinstance(one, dict) and "Effect" in one]
