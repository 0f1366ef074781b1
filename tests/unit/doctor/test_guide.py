"""docs/doctor.md says what the code does: the rules' table, and the actions that the doctor takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lanework.doctor.rules import RULES

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "doctor.md").read_text()


def test_the_guides_table_is_the_rules() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (.+) \|$", GUIDE, re.MULTILINE)

    assert rows == [(rule.name, rule.demands, rule.why) for rule in RULES]


def test_the_guides_policy_allows_what_the_doctor_does_and_no_more() -> None:
    (policy,) = re.findall(r"```json\n(.+?)```", GUIDE, re.DOTALL)
    allowed = {action for one in json.loads(policy)["Statement"] for action in one["Action"]}
    code = "\n".join(file.read_text() for file in (ROOT / "shared" / "lanework" / "aws" / "deployed").glob("*.py"))
    named = set(re.findall(r'"((?:iam|lambda|logs|scheduler|sqs|cloudwatch|dynamodb):[A-Z]\w+)"', code))
    by_service = re.findall(r'f"(lambda|dynamodb):\{action\}", one\.id, call\)(.*?)\n        \)\n', code, re.DOTALL)
    named |= {f"{service}:{one}" for service, block in by_service for one in re.findall(r'\("([A-Z]\w+)"', block)}
    reads_jobs = {"dynamodb:BatchGetItem", "dynamodb:Query"}
    finds_the_stack = {"cloudformation:DescribeStacks", "cloudformation:ListStackResources"}

    assert len(named) > 15
    assert allowed == named | reads_jobs | finds_the_stack
