"""The page of limits and pauses: what may run at once, how fast, and what is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools.event_handler import Response

from lanework.app import App
from lanework.engine.jobtypes.job_type import JobType
from lanework.engine.operations.pauses import flag_of
from lanework.engine.operations.pauses import resume as resume_
from lanework.http.dashboard.rendering import Pages, action, page
from lanework.http.dashboard.words import HOUR, MINUTE, duration, plural
from lanework.http.routing import RESUME_WITHIN
from lanework.model.limits import TENANT, Bound, Concurrency, Limit, Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    What the page shows of something that can be paused.

    Attributes:
        kind: lane, queue or type.
        name: Its name.
        is_paused: Whether its jobs are held.
        limits: What it may do, in words, and how much of it is in use.
        types: How many job types it stands for; of a lane, none.
    """

    kind: str
    name: str
    is_paused: bool
    limits: tuple[tuple[str, Usage | None], ...] = ()
    types: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """
    How much of a concurrency limit is in use.

    Attributes:
        held: How many slots are held.
        n: How many there are.
        waiting_since: When a job last had to wait for one; None if none waits.
    """

    held: int
    n: int
    waiting_since: datetime | None


class LimitPages(Pages):
    """Shows limits and pauses, and changes pauses."""

    @page("/limits")
    def limits_page(self) -> Response[str]:
        """Show what is limited and what is paused."""
        paused, types, lanes = self.app.ports.flags.read().paused, self.app.registry.types, self.app.ports.stack_lanes
        queues = {name: [one for one in types if one.queue == name] for name in self.app.registry.queues}
        known = {f"lane:{lane}" for lane in lanes} | {f"queue:{name}" for name in queues}
        known |= {f"type:{one.name}" for one in types}
        return self.show(
            "limits.html",
            rows_of_lanes=[Row(kind="lane", name=lane, is_paused=f"lane:{lane}" in paused) for lane in lanes],
            rows_of_queues=[_row("queue", name, of_it, self.app, paused) for name, of_it in queues.items()],
            rows_of_types=[_row("type", one.name, [one], self.app, paused) for one in types],
            others=sorted(paused - known),
        )

    @action("/limits/pause", then="limits")
    def pause_on_page(self) -> str:
        """Pause a lane, a queue or a job type."""
        lane, queue, job_type = map(self.form.one, ("lane", "queue", "type"))
        name = self.app.pause(lane=lane, queue=queue, job_type=job_type)  # type: ignore[arg-type]
        return f"Paused {name}: within seconds none of its jobs starts. Running ones continue."

    @action("/limits/resume", then="limits")
    def resume_on_page(self) -> str:
        """Take a pause away."""
        lane, queue, job_type = map(self.form.one, ("lane", "queue", "type"))
        ports = self.app.ports
        name = flag_of(lane=lane, queue=queue, job_type=job_type, registry=self.app.registry, ports=ports)
        released = resume_(name, ports, within=RESUME_WITHIN)
        return f"Resumed {name}: {plural(released, 'held job')} will start within a minute."


def limit_in_words(limit: Limit) -> str:
    """Return a limit as people say it: `5 at once`, `100 a minute for each tenant`."""
    if isinstance(limit, Concurrency):
        text = f"{limit.n:,} at once"
    else:
        per = {MINUTE: "a minute", HOUR: "an hour"}.get(limit.per, f"in {duration(limit.per)}")
        text = f"{limit.n:,} {per}, evenly" if isinstance(limit, Rate) else f"{limit.n:,} {per}, more are refused"
    if limit.key is None:
        return text
    return f"{text}; for each {'tenant' if limit.key == TENANT else limit.key}"


def _row(kind: str, name: str, types: Sequence[JobType], app: App, paused: frozenset[str]) -> Row:
    """Return what the page shows of a queue with its types, or of one type."""
    scope = f"{kind}:{name}"
    bounds = dict.fromkeys(bound for one in types for bound in one.bounds if bound.scope == scope)
    limits = tuple(_told(bound, app) for bound in bounds)
    return Row(kind=kind, name=name, is_paused=scope in paused, limits=limits, types=len(types))


def _told(bound: Bound, app: App) -> tuple[str, Usage | None]:
    """Return a limit in words, and its usage if it is one limit for all: that is one read, and code bounds how many."""
    limit = bound.limit
    if not isinstance(limit, Concurrency) or limit.key is not None:
        return limit_in_words(limit), None
    slots, now = app.ports.limits.slots(bound.name_for({}, None)), app.ports.clock()
    held = len(slots.holders) - len(slots.expired(now))
    return limit_in_words(limit), Usage(held=held, n=limit.n, waiting_since=slots.waiting_since)
