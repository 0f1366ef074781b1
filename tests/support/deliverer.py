"""
A worker in a process of its own: waits for a line on stdin, then hands an SQS event to the edge.

Arguments: endpoint, stack, file that the jobs append to, milliseconds that the invocation has left. The event comes on
stdin, a line of JSON, after which each further line starts one delivery; the answer goes to stdout, a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from lanework import App, Jobs, Run
from lanework.edges.worker import worker
from lanework.settings import Settings
from lanework.wiring import aws_ports


class GuardItem(BaseModel):
    """Payload: what to write, and whether the first attempt hangs."""

    text: str
    hangs: bool = False


family = Jobs(queue="marks", lane="high", attempts=1)
effects = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(os.devnull)


@family.job("mark.write")
def write(mark: GuardItem, run: Run) -> int:
    """Append a line to the file; on a first attempt that hangs, never end."""
    with effects.open("a") as file:
        file.write(f"{mark.text} attempt {run.attempt}\n")
    if mark.hangs and run.attempt == 1:
        sys.stdin.read()
    return run.attempt


app = App(family)


@dataclass(slots=True)
class Context:
    """As much of an invocation's context as is read."""

    remaining_ms: int
    function_name: str = "worker"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:000000000000:function:worker"
    aws_request_id: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        """Return what the arguments say."""
        return self.remaining_ms


def main(endpoint: str, stack: str, remaining_ms: str) -> None:
    """Deliver for as long as there are lines."""
    app.use(aws_ports(Settings(stack=stack, region="eu-west-1", endpoint=endpoint, account="000000000000")))
    log, sys.stdout = sys.stdout, sys.stderr
    handler = worker(app)
    event = json.loads(sys.stdin.readline())
    log.write("ready\n")
    log.flush()
    while sys.stdin.readline():
        answer = handler(event, Context(int(remaining_ms)))  # type: ignore[arg-type]
        log.write(json.dumps(answer) + "\n")
        log.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[4])
