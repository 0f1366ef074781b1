"""Which emulator can do what, as test_emulators.py finds. `python -m tests.support.emulators` writes the README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[2] / "localstack" / "README.md"
NAMES: Final = {"ministack": "MiniStack", "moto": "moto's server", "localstack": "LocalStack, host mode"}

ALL: Final = frozenset(NAMES)
MINISTACK: Final = frozenset({"ministack"})

CAN: Final[dict[str, frozenset[str]]] = {
    "SQS gives up after maxReceiveCount": ALL,
    "SQS takes a message of 1 MiB": ALL,
    "SQS keeps a fair queue's MessageGroupId": ALL,
    "SQS moves a dead-letter queue back (StartMessageMoveTask)": frozenset({"localstack"}),
    "DynamoDB answers a refused write with the old item": ALL,
    "DynamoDB runs PartiQL batches with conditions": MINISTACK,
    "EventBridge Scheduler keeps a schedule": ALL,
    "SSM keeps a SecureString": ALL,
    "Lambda runs a function, with no Docker": MINISTACK,
    "Lambda is handed a queue's messages, with no Docker": MINISTACK,
    "CloudFormation deploys a SAM template's function": MINISTACK,
}


def table() -> str:
    """Return the table as the README has it."""
    rows = [("", *NAMES.values()), ("---",) * (1 + len(NAMES))]
    rows += [(what, *("yes" if name in able else "no" for name in NAMES)) for what, able in CAN.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def written(readme: str) -> str:
    """Return a README with the table in place of the one that it has."""
    return re.sub(r"^\|  \|.*?(?=\n\n)", lambda _: table(), readme, count=1, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
