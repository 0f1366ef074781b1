"""
The load test of 004-23, `make load`: a hundred password resets at once, on an embedded stack of its own.

The mail server is a real one on the loopback interface that takes 50 ms for each mail and counts how many are being
sent to it at once. Then the same under pressure: while 2,000 slow jobs of the lanes low and batch are queued. They
sleep, so that what is measured is the lanes and not how many cores the emulator has to share with them.

It prints what it measured, and its exit code is 1 if anything is over its limit.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiosmtpd.controller import Controller

from jobs import app, producing
from jobs.demo import Nap, nap
from lanework import Lane
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import embedded_stack
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.developing import a_copy
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiosmtpd.smtp import SMTP, Envelope, Session

    from lanework import JobRecord

RESETS: Final = 100
PRESSURE: Final = 2_000
AT_ONCE: Final = 20
QUEUED_WITHIN_S: Final = 1.0
SENT_WITHIN_S: Final = 10.0
WAIT_P99_S: Final = 1.0
MAIL_TAKES_S: Final = 0.05
PATIENCE: Final = timedelta(minutes=5)


@dataclass(slots=True)
class Sink:
    """
    A mail server's hooks: it takes every mail, slowly, and counts.

    Attributes:
        arrived: When it took the mail for whom.
        most: How many were being sent to it at once, at most.
    """

    arrived: dict[str, float] = field(default_factory=dict)
    most: int = 0
    now: int = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its hook
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(MAIL_TAKES_S)
        self.now -= 1
        self.arrived.update(dict.fromkeys(envelope.rcpt_tos, time.monotonic()))
        return "250 OK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """
    What a burst of resets was like.

    Attributes:
        queued_s: Until the last was enqueued.
        sent_s: Until the last mail had arrived.
        at_once: Most mails that were being sent at once.
        waits_s: From each job's enqueue to its start, the shortest first.
        attempts: Attempts that each took.
    """

    queued_s: float
    sent_s: float
    at_once: int
    waits_s: tuple[float, ...]
    attempts: frozenset[int]

    @property
    def p99_s(self) -> float:
        """The wait that one job in a hundred may exceed."""
        return self.waits_s[round(0.99 * (len(self.waits_s) - 1))]


def burst(name: str, sink: Sink) -> Burst:
    """Ask for a hundred resets at once, as a hundred requests would, and wait for the mails."""
    sink.most, people = 0, [f"{name}-{number}@example.com" for number in range(RESETS)]
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as requests:
        receipts = list(requests.map(lambda one: producing.send_password_reset(one, f"token of {one}"), people))
    queued = time.monotonic()
    wait_for(lambda: all(one in sink.arrived for one in people), within=PATIENCE, what="every mail to arrive")
    ids = [one.job_id for one in receipts]
    records = records_of(ids)
    return Burst(
        queued_s=queued - began,
        sent_s=max(sink.arrived[one] for one in people) - began,
        at_once=sink.most,
        waits_s=tuple(sorted(waits_of(records))),
        attempts=frozenset(one.attempts for one in records),
    )


def records_of(ids: Sequence[str]) -> list[JobRecord]:
    """Return the jobs' records."""
    found = app.ports.ledger.get_many(ids)
    return [found[one] for one in ids]


def waits_of(records: Sequence[JobRecord]) -> Iterator[float]:
    """Yield how long each job waited for its start."""
    for one in records:
        assert one.first_started_at is not None
        yield (one.first_started_at - one.created_at).total_seconds()


def over(name: str, one: Burst, *, with_waits: bool) -> list[str]:
    """Print what a burst was like, and return what is over its limit."""
    rows: list[tuple[str, float, float | None, str]] = [
        ("queued in", one.queued_s, QUEUED_WITHIN_S, "s"),
        ("sent at once, most", one.at_once, AT_ONCE, ""),
        ("last mail after", one.sent_s, SENT_WITHIN_S, "s"),
        ("wait for the start, median", one.waits_s[len(one.waits_s) // 2], None, "s"),
        ("wait for the start, p99", one.p99_s, WAIT_P99_S if with_waits else None, "s"),
        ("attempts a job, most", max(one.attempts), 1, ""),
    ]
    for what, value, limit, unit in rows:
        bound = "" if limit is None else f"at most {limit:g} {unit}".rstrip()
        print(f"{name:16} {what:27} {value:8.2f} {unit:2} {bound}", flush=True)
    wrong = [(what, value, limit) for what, value, limit, _ in rows if limit is not None and value > limit]
    return [f"{name}: {what} {value:.2f}, {limit:g} allowed" for what, value, limit in wrong]


def main() -> int:
    """Measure, print, and return the exit code."""
    sink, port = Sink(), free_port()
    server = Controller(sink, hostname="127.0.0.1", port=port)
    os.environ.update({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})
    with ExitStack() as undo:
        server.start()
        undo.callback(server.stop)
        project = a_copy(Path(undo.enter_context(tempfile.TemporaryDirectory())) / "shop")
        parameters = {"SmtpHost": "127.0.0.1", "SmtpPort": str(port)}
        stack = undo.enter_context(embedded_stack(project, fresh=True, port=free_port(), parameters=parameters))
        handle = stack.handle
        app.use(
            aws_ports(
                Settings(stack=handle.stack, region=handle.region, endpoint=handle.endpoint, account="000000000000")
            )
        )
        burst("warming", sink)  # starts the workers' processes, which AWS keeps between bursts, too
        problems = over("at once", burst("quiet", sink), with_waits=False)
        app.enqueue_many(nap.request(Nap(seconds=5), lane="low" if n % 2 else "batch") for n in range(PRESSURE))
        waiting = sum(app.inspector.counts_of(lane).waiting for lane in (Lane.LOW, Lane.BATCH))
        print(f"{'under pressure':16} {'queued in low and batch':27} {waiting:5}", flush=True)
        problems += over("under pressure", burst("pressed", sink), with_waits=True)
    for problem in problems:
        print(f"over the limit: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
