"""
Milliseconds that jobs wait in the critical lane of an embedded stack, the first after its deployment at first.

`python -m bench.lambda_lane COUNT` writes them as JSON: how long the first waited, then COUNT more, each enqueued after
the end of the one before.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanework.local.application import load_app
from lanework.local.project import project_at
from lanework.local.stack.embedded import embedded_stack
from lanework.local.stack.producer_env import enter
from lanework.model.lifecycle.states import ENDED
from tests.support.ports import free_port

if TYPE_CHECKING:
    from lanework.model.lifecycle.states import JobRecord

_POLL_S = 0.05
_WITHIN_S = 60.0


def main() -> None:
    """Start the stack, enqueue, and say how long each waited until its code began, by its record."""
    logging.disable(logging.WARNING)
    count = int(sys.argv[1])
    project = project_at(Path(__file__).parents[1])
    with embedded_stack(project, fresh=True, port=free_port(), name="bench-dispatch") as stack:
        enter(stack.handle, stack.clients)
        app = load_app(project)
        waits = [_waited(_ended(app, _enqueue(app))) for _ in range(1 + count)]
    print(json.dumps(waits))  # noqa: T201 - read by dispatch.py


def _enqueue(app: Any) -> str:
    job_id: str = app.enqueue("demo.greet", {"name": "bench"}, lane="critical").job_id
    return job_id


def _ended(app: Any, job_id: str) -> JobRecord:
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        record: JobRecord = app.ports.ledger.get(job_id)
        if record.state in ENDED:
            return record
        time.sleep(_POLL_S)
    msg = f"{job_id} did not end within {_WITHIN_S:.0f} s"
    raise TimeoutError(msg)


def _waited(record: JobRecord) -> float:
    assert record.first_started_at is not None  # noqa: S101 - it has ended
    return (record.first_started_at - record.created_at) / timedelta(milliseconds=1)


if __name__ == "__main__":
    main()
