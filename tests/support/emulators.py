"""docs/emulators.md's tables, from the table of behaviours. `python -m tests.support.emulators` writes them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lanework.local.probe.table import AS_AWS, Behaviour, behaviours

PAGE: Final = Path(__file__).parents[2] / "docs" / "emulators.md"

_TITLES: Final = {
    "sqs": "SQS",
    "dynamodb": "DynamoDB",
    "scheduler": "EventBridge Scheduler",
    "events": "EventBridge",
    "sns": "SNS",
    "ssm": "Systems Manager",
    "cloudformation": "CloudFormation",
    "lambda": "Lambda",
    "mapping": "Queues that Lambda is handed",
}


def tables() -> str:
    """Return a table for each service."""
    parts = []
    for service, title in _TITLES.items():
        head = ("line", "AWS documents", "strict", "memory", "moto", "MiniStack", "LocalStack")
        lines = [_row(one) for one in behaviours().values() if one.id.partition("_")[0] == service]
        rows = [head, ("---",) * len(head), *lines]
        parts.append("\n".join([f"### {title}", "", *(f"| {' | '.join(row)} |" for row in rows)]))
    return "\n\n".join(parts)


def _row(one: Behaviour) -> tuple[str, ...]:
    seen = [_short(text) for text in (one.memory or "–", one.moto, one.ministack, one.localstack)]
    says = one.says.replace("<", "\\<")
    return (f"`{one.id}`", f"[{says}]({one.page})", "yes" if one.strict else "", *seen)


def _short(text: str) -> str:
    return "✓" if text == AS_AWS else text.replace("<", "\\<")


def written(page: str) -> str:
    """Return a page with the tables in place of those that it has."""
    return re.sub(r"^### SQS\n.*?(?=\n\n## )", lambda _: tables(), page, count=1, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
