"""docs/doctor.md says what the code does: the rules' table, and the actions that the doctor takes."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import boto3

from lanework.aws.deployed.stack import action_of
from lanework.doctor.rules import RULES

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "doctor.md").read_text()


def test_the_guides_table_is_the_rules() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (.+) \|$", GUIDE, re.MULTILINE)

    assert rows == [(rule.name, rule.demands, rule.why) for rule in RULES]


def calls_in(code: str) -> set[tuple[str, str]]:
    """Return the service and the method of each call that the doctor makes: `look.at(id, service, call)`."""
    tree = ast.parse(code)
    loops = {id(one.elt): one.generators[0].iter for one in ast.walk(tree) if isinstance(one, ast.GeneratorExp)}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "at":
            service, call = ast.literal_eval(node.args[1]), node.args[2]
            methods = ast.literal_eval(loops[id(node)]) if isinstance(call, ast.Name) else [ast.literal_eval(call)]
            found |= {(service, method) for method in methods}
    return found


def test_the_guides_policy_allows_what_the_doctor_does_and_no_more() -> None:
    (policy,) = re.findall(r"```json\n(.+?)```", GUIDE, re.DOTALL)
    allowed = {action for one in json.loads(policy)["Statement"] for action in one["Action"]}
    files = (ROOT / "shared" / "lanework" / "aws" / "deployed").glob("*.py")
    session: Any = boto3.Session(region_name="eu-west-1")
    named = {
        action_of(service, session.client(service).meta.method_to_api_mapping[method])
        for file in files
        for service, method in calls_in(file.read_text())
    }
    reads_jobs = {"dynamodb:BatchGetItem", "dynamodb:Query"}
    finds_the_stack = {"cloudformation:DescribeStacks", "cloudformation:ListStackResources"}

    assert len(named) > 15
    assert allowed == named | reads_jobs | finds_the_stack
