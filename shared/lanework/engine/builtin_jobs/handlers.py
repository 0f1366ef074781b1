"""What Lanework's own jobs do. Few processes ever run one, so none of this is loaded before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.deadletters.bulk_redrive import BulkRedrive
from lanework.engine.deadletters.query import DeadJobs
from lanework.engine.deadletters.redrive import Redriver
from lanework.engine.dependencies.release_dependents import Waiting
from lanework.engine.jobtypes.builtin import ARCHIVE, CLEAN, DROP, REDRIVE, RELEASE, WEBHOOK
from lanework.engine.maintenance.archive import Archiver
from lanework.engine.maintenance.cleanup import BATCH, Cleaner
from lanework.engine.maintenance.long_job_progress import LongJobProgress
from lanework.errors import ConfigError
from lanework.model.job.job_exceptions import Snooze

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lanework.engine.deadletters.bulk_redrive import RedriveSummary
    from lanework.engine.deadletters.redrive import RedriveResult
    from lanework.engine.jobtypes.builtin import ArchivePayload, BulkRedrivePayload, CleanupPayload, ReleasePayload
    from lanework.engine.jobtypes.run import Run
    from lanework.engine.maintenance.cleanup import Cleaned
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.webhooks.notify import WebhookPayload
    from lanework.model.lifecycle.states import JobRecord

_ROOM_TO_END: Final = timedelta(seconds=5)


def release(order: ReleasePayload, run: Run, ports: Ports) -> dict[str, Any]:
    """Let go what waits for a job or a workflow that has ended."""
    waiting = Waiting(ports)
    fact = waiting.facts([order.parent])[order.parent]

    def has_time() -> bool:
        return ports.clock() <= run.deadline - _ROOM_TO_END

    moved = waiting.release([(order.parent, fact)], has_time=has_time)
    if not has_time():
        raise Snooze(timedelta(seconds=1))
    return {"released": moved}


def archive(_: ArchivePayload, run: Run, ports: Ports) -> dict[str, Any]:
    """Put jobs into the archive whose records expire soon."""
    if ports.archive is None:
        msg = "no archive is configured where this job runs: set LANEWORK_ARCHIVE_BUCKET for the workers, too"
        raise ConfigError(msg)
    with LongJobProgress(run, ports, word="archived") as tally:
        Archiver(ports, ports.archive).run(tally)
        return {"archived": tally.done}


def redrive(order: BulkRedrivePayload, run: Run, ports: Ports) -> dict[str, Any]:
    """Redrive the dead jobs that a filter asks for."""
    return _roll_out(order, run, ports, Redriver(ports).redrive)


def drop(order: BulkRedrivePayload, run: Run, ports: Ports) -> dict[str, Any]:
    """Drop the dead jobs that a filter asks for."""
    return _roll_out(order, run, ports, Redriver(ports).drop)


def _roll_out(
    order: BulkRedrivePayload, run: Run, ports: Ports, move: Callable[[JobRecord], RedriveResult]
) -> dict[str, Any]:
    left = sum(1 for _ in DeadJobs(ports).matching(order.which))
    total = run.once("total", lambda: left)
    done_before = max(total - left, 0)
    with LongJobProgress(run, ports, word=f"of {total:,}") as progress:

        def say(summary: RedriveSummary) -> None:
            done = done_before + summary.moved + summary.passed_over
            progress.reach(done, percent=min(100, 100 * done // max(total, 1)))

        summary = BulkRedrive(ports, move, order.options, once=run.once, between=say).run(order.which, count=total)
    return {
        "moved": done_before + summary.moved,
        "passedOver": summary.passed_over,
        **({"leftOut": summary.left} if summary.left else {}),
        "stopped": summary.stopped,
    }


def clean(order: CleanupPayload, run: Run, ports: Ports) -> dict[str, Any]:
    """Retire ended jobs, until none is left of those that are asked for."""
    cleaner = Cleaner(ports)
    with LongJobProgress(run, ports, word="retired") as tally:
        while _clean_batch(order, cleaner, tally):
            pass
        return {"retired": tally.done}


def _clean_batch(order: CleanupPayload, cleaner: Cleaner, tally: LongJobProgress) -> bool:
    """Choose jobs and retire them; return whether there may be more."""
    chosen = cleaner.choose(order.cleanings)
    before = tally.done

    def say(cleaned: Cleaned) -> None:
        looked_at = cleaned.retired + cleaned.passed_over
        tally.reach(before + cleaned.retired, percent=100 * looked_at // len(chosen))

    cleaned = cleaner.retire(chosen, between=say)
    return len(chosen) == BATCH and cleaned.retired > 0


def webhook(order: WebhookPayload, _: Run, ports: Ports) -> dict[str, Any]:
    """Send a webhook."""
    from lanework.engine.webhooks.deliver import deliver  # noqa: PLC0415 - the other jobs have no use for it

    return deliver(order, ports)


HANDLERS: Final[Mapping[str, Callable[[Any, Run, Ports], dict[str, Any]]]] = {
    REDRIVE: redrive,
    DROP: drop,
    CLEAN: clean,
    ARCHIVE: archive,
    RELEASE: release,
    WEBHOOK: webhook,
}
