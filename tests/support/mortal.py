"""
A process that is killed right after its first write of a job, before it could do or tell anything more.

Arguments: the project's folder, the stack's endpoint and name, what to do (`enqueue`, `cancel` or `drop`), a job's id.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanework.engine.deadletters.redrive import Redriver
from lanework.local.application import load_app
from lanework.local.project import project_at
from lanework.local.stack.embedded import REGION
from lanework.settings import Settings
from lanework.wiring import aws_ports

if TYPE_CHECKING:
    from lanework import App

WRITES = {"put", "change"}


class Mortal:
    """A ledger whose first write is its process's last deed."""

    def __init__(self, ledger: Any) -> None:
        """Stand in front of a ledger."""
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        """Return a call of the ledger's."""
        call = getattr(self._ledger, name)

        def last(*args: Any, **kwargs: Any) -> None:
            call(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)

        return last if name in WRITES else call


def do(app: App, what: str, job_id: str) -> None:
    """Do it: a job that is enqueued is to run tomorrow."""
    if what == "enqueue":
        app.enqueue("order.take", {}, job_id=job_id, delay=timedelta(days=1))
    elif what == "cancel":
        app.cancel(job_id)
    else:
        Redriver(app.ports).drop(app.get(job_id))


def main(root: str, endpoint: str, stack: str, what: str, job_id: str) -> None:
    """Run the project's application on the stack, and do what is to be done, as far as it comes."""
    app = load_app(project_at(Path(root)))
    ports = aws_ports(Settings(stack=stack, region=REGION, endpoint=endpoint, account="000000000000"))
    app.use(replace(ports, ledger=Mortal(ports.ledger)))
    do(app, what, job_id)


if __name__ == "__main__":
    main(*sys.argv[1:])
