"""Families: where job types are declared."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from lanework.engine.jobtypes.arguments import MOST_VERSIONS, check_durations, checked_names
from lanework.engine.jobtypes.job import Job
from lanework.engine.jobtypes.job_type import JobType, Options, Where, resolve_policy
from lanework.engine.jobtypes.options import check_windows
from lanework.engine.jobtypes.schedule import check_declared, declared_schedule
from lanework.engine.jobtypes.signature import check_keys, is_async, signature_of
from lanework.errors import ConfigError, DeclarationError, InvalidOptionError, shown
from lanework.model.job.ids import checked_job_type, checked_queue
from lanework.model.lifecycle.retention import Retention
from lanework.model.limits import Concurrency, bounds_of, is_count

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from lanework.engine.jobtypes.job import Declaration, Enqueues
    from lanework.model.lanes import Lane, LaneName
    from lanework.model.limits import Bound, Quota, Rate
    from lanework.model.schedule.schedule import CatchUpName, OverlapName


class Jobs:
    """
    A family of job types: the queue whose numbers and limits they share, and the defaults they have in common.

    Attributes:
        queue: Name of the logical queue.
    """

    def __init__(  # noqa: PLR0913 - a declaration is where everything is said
        self,
        *,
        queue: str,
        lane: LaneName | Lane | None = None,
        attempts: int | None = None,
        backoff: timedelta | None = None,
        timeout: timedelta | None = None,
        where: Where | None = None,
        webhook: str | None = None,
        concurrency: int | Concurrency | tuple[Concurrency, ...] | None = None,
        rate: Rate | tuple[Rate, ...] | None = None,
        quota: Quota | tuple[Quota, ...] | None = None,
        keep_completed: int | None = None,
        keep_failed: int | None = None,
    ) -> None:
        """
        Open a family.

        Args:
            queue: Name of the logical queue, one lower-case word.
            lane: Lane of its jobs; medium if nobody says otherwise.
            attempts: Most attempts, the first included; the lane's if nobody says otherwise.
            backoff: Wait before the second attempt; 2 s if nobody says otherwise.
            timeout: How long an attempt may take before it is stopped; as long as the lane allows if nobody says. Above
                895 s, which is Lambda's longest less what we write, only a worker process runs it; at most 11 hours.
            where: `worker`: only worker processes (`lanework worker`) run them; `anywhere`, the default: Lambda, too.
            webhook: Address of a webhook for each completion and death of its jobs (docs/events.md).
            concurrency: How many jobs of the family run at once, all types together; a number, or `Concurrency`.
            rate: How many of them start within a time.
            quota: How many of them are accepted within a time.
            keep_completed: How many completed jobs of the queue are kept, those enqueued last; the others are retired
                within two hours of their end. 0 keeps none; None, the default, all until they expire.
            keep_failed: The same for dead jobs, those that died last; the others are dropped and retired.

        Raises:
            InvalidOptionError, UnknownLaneError: An argument can't be used.
        """
        self.queue = checked_queue(queue)
        check_durations(backoff=backoff, timeout=timeout)
        self._options = Options(
            lane=lane, attempts=attempts, backoff=backoff, timeout=timeout, where=where, webhook=webhook
        )
        # A timeout is held against the lane, which the family's types may yet choose.
        resolve_policy(
            self._options if lane is not None else Options(attempts=attempts, backoff=backoff, webhook=webhook)
        )
        self._bounds = _bounds(f"queue:{queue}", concurrency, rate, quota)
        self._retention = Retention(completed=keep_completed, failed=keep_failed)
        self._types: dict[str, JobType] = {}
        self._app: Enqueues | None = None

    @property
    def types(self) -> tuple[JobType, ...]:
        """The job types declared so far."""
        return tuple(self._types.values())

    def job(  # noqa: PLR0913 - a declaration is where everything is said
        self,
        name: str,
        *,
        lane: LaneName | Lane | None = None,
        attempts: int | None = None,
        backoff: timedelta | None = None,
        timeout: timedelta | None = None,
        where: Where | None = None,
        webhook: str | None = None,
        concurrency: int | Concurrency | tuple[Concurrency, ...] | None = None,
        rate: Rate | tuple[Rate, ...] | None = None,
        quota: Quota | tuple[Quota, ...] | None = None,
        key: str | tuple[str, ...] | None = None,
        unique_for: timedelta | None = None,
        debounce: timedelta | None = None,
        cron: str | None = None,
        every: timedelta | None = None,
        tz: str | None = None,
        overlap: OverlapName | None = None,
        catch_up: CatchUpName | None = None,
        api: bool = True,
        discard_on: tuple[type[Exception], ...] = (),
        version: int = 1,
        aliases: tuple[str, ...] = (),
    ) -> Declaration:
        """
        Declare a job type: `@email.job("user.signin.notification", lane="high")` over a function.

        The function takes `(payload)` or `(payload, run)`; further parameters need defaults. It may be `async def`.
        What it returns is the job's result; what it raises fails the attempt.

        Args:
            name: Stable dotted name; jobs that wait carry it, so a rename strands them.
            lane, attempts, backoff, timeout, where, webhook: As in `Jobs`, for this type.
            concurrency, rate, quota: Limits of this type, beside its family's. `key=` in them names a field of the
                payload: one limit for each of its values.
            key: The fields of the payload that make a job the same as another, for the next two.
            unique_for: One job for each value of `key` within this time: a second one enqueues nothing, and its receipt
                has the first one's id.
            debounce: The last one for each value of `key` runs, once, this long after it was enqueued.
            cron: Enqueued by itself, at these times: five fields, or EventBridge's six. Its payload is then `{}`. The
                template needs it too; `lanework check` says what to paste.
            every: Or at this interval, in whole minutes, counted from 1970-01-01T00:00Z: no deployment shifts it.
            tz: Zone of `cron`, an IANA name; UTC if nobody says.
            overlap: `skip`, the default, passes a tick over while the one before still runs; `allow` doesn't look.
            api: Whether it may be enqueued over HTTP; False leaves that to the application's own code.
            catch_up: Of ticks that were missed, `latest`, the default, runs the newest; `skip` none that is over 5
                minutes late; `all` each of them, at most 1,000, and needs overlap="allow".
            discard_on: Exceptions after which no further attempt can help: the job is dead at once, cause `discarded`.
            version: Version of the payload, from 1. Raise it with a change that older code can't read: its jobs then
                wait, for an hour at most, until the code that can is deployed.
            aliases: Names it had before, so that jobs which still carry one run.

        Raises:
            DeclarationError: The function can't be a job as written.
            InvalidOptionError, UnknownLaneError: An argument can't be used.
        """
        if not isinstance(name, str):
            how = f'write @{self.queue}.job("{self.queue}.…") over the function'
            msg = f"a job type needs a name: {how}, got {shown(name)}"
            raise DeclarationError(msg)
        aliases = checked_names("aliases", aliases)
        for one in (name, *aliases):
            checked_job_type(one)
        check_durations(backoff=backoff, timeout=timeout, unique_for=unique_for, debounce=debounce, every=every)
        if not is_count(version) or not 1 <= version <= MOST_VERSIONS:
            msg = f"version of job {name!r} must be a number from 1 to {MOST_VERSIONS:,}, got {shown(version)}"
            raise InvalidOptionError(msg)
        said = Options(lane=lane, attempts=attempts, backoff=backoff, timeout=timeout, where=where, webhook=webhook)
        options = said.over(self._options)
        resolve_policy(options)
        bounds = (*self._bounds, *_bounds(f"type:{name}", concurrency, rate, quota))
        keys = checked_names("key", key)
        check_windows(keys, unique_for=unique_for, debounce=debounce)
        schedule = declared_schedule(name, cron=cron, every=every, tz=tz, overlap=overlap, catch_up=catch_up)

        def declare(function: Callable[..., object], /) -> Job[Any, Any, Any, Any]:
            if self._app is not None:
                msg = f"job type {name!r} is declared after its family joined an App, which wouldn't know it"
                raise DeclarationError(msg)
            if name in self._types:
                msg = f"job type {name!r} is declared twice in queue {self.queue!r}"
                raise DeclarationError(msg)
            model, takes_run, returns = signature_of(name, function)
            check_keys(name, model, [*keys, *(bound.limit.key for bound in bounds if bound.limit.key is not None)])
            if schedule is not None:
                check_declared(schedule, model, debounce=debounce)
            self._types[name] = JobType(
                name=name,
                queue=self.queue,
                function=function,
                model=model,
                takes_run=takes_run,
                is_async=is_async(function),
                options=options,
                returns=returns,
                discard_on=discard_on,
                version=version,
                aliases=aliases,
                bounds=bounds,
                key=keys,
                unique_for=unique_for,
                debounce=debounce,
                retention=self._retention,
                schedule=schedule,
                api=api,
            )
            return Job(self._types[name], partial(self.app_for, name))

        return cast("Declaration", declare)

    def join(self, app: Enqueues) -> None:
        """Enqueue through this application from now on; `App(family)` calls it."""
        self._app = app

    def app_for(self, name: str) -> Enqueues:
        """Return the application that the family is in; ConfigError if it is in none."""
        if self._app is None:
            msg = f"{name} can't be enqueued: its family (queue {self.queue!r}) is in no App; add it to App(…)"
            raise ConfigError(msg)
        return self._app


def _bounds(
    scope: str,
    concurrency: int | Concurrency | tuple[Concurrency, ...] | None,
    rate: Rate | tuple[Rate, ...] | None,
    quota: Quota | tuple[Quota, ...] | None,
) -> tuple[Bound, ...]:
    """Return the limits of a family or a type."""
    at_once = Concurrency(concurrency) if isinstance(concurrency, int) else concurrency
    return bounds_of(scope, at_once, rate, quota)
