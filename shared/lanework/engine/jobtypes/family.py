"""Families: where job types are declared."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from lanework.engine.jobtypes.arguments import MOST_VERSIONS, check_durations, checked_names
from lanework.engine.jobtypes.job import Job
from lanework.engine.jobtypes.job_type import JobType, resolve_policy
from lanework.engine.jobtypes.options import check_known, check_windows, limits_of, options_of
from lanework.engine.jobtypes.schedule import Timing, check_declared, declared_schedule
from lanework.engine.jobtypes.signature import check_keys, is_async, signature_of
from lanework.errors import ConfigError, DeclarationError, InvalidOptionError, shown
from lanework.model.job.ids import checked_job_type, checked_queue
from lanework.model.lifecycle.retention import Retention
from lanework.model.limits import is_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from lanework.engine.jobtypes.batch import BatchDeclaration
    from lanework.engine.jobtypes.job import Declaration, Enqueues, PayloadT
    from lanework.engine.jobtypes.job_type import RecordFrom, Upcast, Where
    from lanework.engine.jobtypes.subscription import Source, Subscription
    from lanework.model.lanes import Lane, LaneName
    from lanework.model.limits import Concurrency, Quota, Rate


class TypeOptions(TypedDict, total=False):
    """
    What a family says of all its types, and a type over it.

    Attributes:
        lane: Lane of its jobs; medium if nobody says otherwise.
        attempts: Most attempts, the first included; the lane's if nobody says otherwise.
        backoff: Wait before the second attempt; 2 s if nobody says otherwise.
        timeout: How long an attempt may take before it is stopped; as long as the lane allows if nobody says. Above
            895 s, which is Lambda's longest less what we write, only a worker process runs it; at most 11 hours.
        where: `worker`: only worker processes (`lanework worker`) run them; `anywhere`, the default: Lambda, too.
        webhook: Address of a webhook for each completion and death of its jobs (docs/events.md).
        record: `full`, the default: an enqueue makes the job's record. `start`: it sends a message and writes nothing;
            the job's start makes the record. That is a write and a call less, and gives up what needs a record before:
            `quota`, `unique_for`, `debounce`, `after`, workflows, delays over 15 minutes, and finding or cancelling a
            job that has not begun (docs/writing-jobs.md).
        concurrency: How many jobs run at once; a number, or `Concurrency`. A family's counts all its types together,
            and a type's own limits stand beside it. `key=` in one names a field of the payload: one limit for each of
            its values.
        rate: How many of them start within a time.
        quota: How many of them are accepted within a time.
    """

    lane: LaneName | Lane | None
    attempts: int | None
    backoff: timedelta | None
    timeout: timedelta | None
    where: Where | None
    webhook: str | None
    record: RecordFrom | None
    concurrency: int | Concurrency | tuple[Concurrency, ...] | None
    rate: Rate | tuple[Rate, ...] | None
    quota: Quota | tuple[Quota, ...] | None


class FamilyOptions(TypeOptions, total=False):
    """
    What `Jobs(…)` takes, by keyword.

    Attributes:
        keep_completed: How many completed jobs of the queue are kept, those enqueued last; the others are retired
            within two hours of their end. 0 keeps none; None, the default, all until they expire.
        keep_failed: The same for dead jobs, those that died last; the others are dropped and retired.
    """

    keep_completed: int | None
    keep_failed: int | None


class JobOptions(TypeOptions, Timing, total=False):
    """
    What `Jobs.job(…)` takes beside the name, by keyword.

    Attributes:
        key: The fields of the payload that make a job the same as another, for the next two.
        unique_for: One job for each value of `key` within this time: a second one enqueues nothing, and its receipt
            has the first one's id.
        debounce: The last one for each value of `key` runs, once, this long after it was enqueued.
        api: Whether it may be enqueued over HTTP or by an open message; False: only by the application's own code.
        discard_on: Exceptions after which no further attempt can help: the job is dead at once, cause `discarded`.
        version: Version of the payload, from 1. Raise it with a change that older code can't read: its jobs then
            wait, for an hour at most, until the code that can is deployed.
        upcast: For each older version, from one on without a gap, a function that takes a payload of it, as a dict of
            JSON values, and returns one of the next version. So older jobs run on today's model.
        aliases: Names it had before, so that jobs which still carry one run.
    """

    key: str | tuple[str, ...] | None
    unique_for: timedelta | None
    debounce: timedelta | None
    api: bool
    discard_on: tuple[type[Exception], ...]
    version: int
    upcast: Mapping[int, Callable[[Any], Any]]
    aliases: tuple[str, ...]


class Jobs:
    """
    A family of job types: the queue whose numbers and limits they share, and the defaults they have in common.

    Attributes:
        queue: Name of the logical queue.
        subscriptions: Events from outside that are jobs of it, as `on` declared them.
    """

    def __init__(self, *, queue: str, **said: Unpack[FamilyOptions]) -> None:
        """
        Open a family.

        Args:
            queue: Name of the logical queue, one lower-case word.
            **said: See `FamilyOptions`.

        Raises:
            InvalidOptionError, UnknownLaneError: An argument can't be used.
        """
        check_known(said, FamilyOptions.__optional_keys__, of="a family")
        self.queue = checked_queue(queue)
        self._options = options_of(said)
        # A timeout is held against the lane, which the family's types may yet choose.
        is_settled = said.get("lane") is not None
        resolve_policy(self._options if is_settled else replace(self._options, timeout=None, where=None))
        self._bounds = limits_of(f"queue:{queue}", said)
        self._retention = Retention(completed=said.get("keep_completed"), failed=said.get("keep_failed"))
        self._types: dict[str, JobType] = {}
        self.subscriptions: tuple[Subscription, ...] = ()
        self._app: Enqueues | None = None

    @property
    def types(self) -> tuple[JobType, ...]:
        """The job types declared so far."""
        return tuple(self._types.values())

    def job(self, name: str, **said: Unpack[JobOptions]) -> Declaration:
        """
        Declare a job type: `@email.job("user.signin.notification", lane="high")` over a function.

        The function takes `(payload)` or `(payload, run)`; further parameters need defaults. It may be `async def`.
        What it returns is the job's result; what it raises fails the attempt.

        Args:
            name: Stable dotted name; jobs that wait carry it, so a rename strands them.
            **said: See `JobOptions`.

        Raises:
            DeclarationError: The function can't be a job as written.
            InvalidOptionError, UnknownLaneError: An argument can't be used.
        """
        checked = self._checked(name, said)

        def declare(function: Callable[..., object], /) -> Job[Any, Any, Any, Any]:
            job_type = self._declared(name, function, signature_of(name, function), checked)
            return Job(job_type, partial(self.app_for, name))

        return cast("Declaration", declare)

    def batch(self, name: str, *, size: int, within: timedelta, **said: Unpack[JobOptions]) -> BatchDeclaration:
        """
        Declare a batch function: `@crm.batch("crm.sync", size=100, within=timedelta(seconds=2))`.

        It is called once for up to `size` jobs, as in `def sync(contacts: Batch[Contact]) -> None`, and each of them
        has an outcome of its own (`BatchItem`). Its jobs are enqueued, limited, retried and kept as any others.

        Args:
            name: As in `job`.
            size: Most jobs of a call, 1 to 1,000; in Lambda also at most what one invocation is handed, the lane's
                BatchSize.
            within: How long a worker process waits for that many from the first on; 0 takes what is there. Lambda waits
                for as long as the lane's MaximumBatchingWindowInSeconds says.
            **said: See `JobOptions`. The timeout bounds the whole call.

        Raises:
            DeclarationError, InvalidOptionError, UnknownLaneError: As in `job`.
        """
        from lanework.engine.jobtypes.batch import BatchJob, batch_signature_of, checked_terms  # noqa: PLC0415 - seldom

        checked = self._checked(name, said)
        checked["batch"] = checked_terms(name, size, within, checked["options"])

        def declare(function: Callable[..., object], /) -> Job[Any, Any, Any, Any]:
            job_type = self._declared(name, function, batch_signature_of(name, function), checked)
            return BatchJob(job_type, partial(self.app_for, name))

        return cast("BatchDeclaration", declare)

    def _declared(
        self, name: str, function: Callable[..., object], signature: tuple[object, ...], checked: dict[str, Any]
    ) -> JobType:
        """Take a job type into the family; DeclarationError if its declaration doesn't fit its function."""
        if self._app is not None:
            msg = f"job type {name!r} is declared after its family joined an App; declare it before App(…)"
            raise DeclarationError(msg)
        if name in self._types:
            msg = f"job type {name!r} is declared twice in queue {self.queue!r}"
            raise DeclarationError(msg)
        found: dict[str, Any] = dict(zip(("model", "takes_run", "returns"), signature, strict=True))
        found |= {"function": function, "is_async": is_async(function), **checked}
        job_type = JobType(name=name, queue=self.queue, **found)
        limits = [bound.limit.key for bound in job_type.bounds if bound.limit.key is not None]
        check_keys(name, job_type.model, [*job_type.key, *limits])
        if job_type.schedule is not None:
            check_declared(job_type.schedule, job_type.model, debounce=job_type.debounce)
        self._types[name] = job_type
        return job_type

    def on(
        self, source: Source, job: Job[PayloadT, Any, Any, Any], *, payload: Callable[[Any], object] | None = None
    ) -> None:
        """
        Enqueue a job for each event of a source, once however often it is delivered (`lanework.aws_events`).

        Args:
            source: Such as `S3Created("bucket", prefix="in/")`.
            job: One of this family's.
            payload: Makes the job's payload of an event; by default it is what the event says.

        Raises:
            DeclarationError: It is no source, or the job isn't this family's; or the family has joined an App.
        """
        from lanework.engine.jobtypes.subscription import subscribed  # noqa: PLC0415 - few have any

        if self._app is not None:
            msg = f"{source} is declared after its family joined an App; declare it before App(…)"
            raise DeclarationError(msg)
        self.subscriptions += (subscribed(source, job, payload, types=self.types),)

    def _checked(self, name: str, said: JobOptions) -> dict[str, Any]:
        """Return what a declaration says of a `JobType`."""
        if not isinstance(name, str):
            how = f'write @{self.queue}.job("{self.queue}.…") over the function'
            msg = f"a job type needs a name: {how}, got {shown(name)}"
            raise DeclarationError(msg)
        check_known(said, JobOptions.__optional_keys__, of=f"job {name!r}")
        aliases = checked_names("aliases", said.get("aliases"))
        for one in (name, *aliases):
            checked_job_type(one)
        windows = {"unique_for": said.get("unique_for"), "debounce": said.get("debounce")}
        check_durations(**windows, every=said.get("every"))
        version = said.get("version", 1)
        if not is_count(version) or not 1 <= version <= MOST_VERSIONS:
            msg = f"version of job {name!r} must be a number from 1 to {MOST_VERSIONS:,}, got {shown(version)}"
            raise InvalidOptionError(msg)
        options = options_of(said).over(self._options)
        resolve_policy(options)
        bounds = (*self._bounds, *limits_of(f"type:{name}", said))
        key = checked_names("key", said.get("key"))
        check_windows(key, **windows)
        if options.record == "start":
            from lanework.engine.jobtypes.recorded_at_start import check_declaration  # noqa: PLC0415 - few types say it

            check_declaration(name, bounds=bounds, **windows)
        return {
            **windows,
            "options": options,
            "bounds": bounds,
            "key": key,
            "version": version,
            "upcast": _upcasts(name, said.get("upcast"), version),
            "aliases": aliases,
            "retention": self._retention,
            "schedule": declared_schedule(name, said),
            "discard_on": said.get("discard_on", ()),
            "api": said.get("api", True),
        }

    def join(self, app: Enqueues) -> None:
        """Enqueue through this application from now on; `App(family)` calls it."""
        self._app = app

    def app_for(self, name: str) -> Enqueues:
        """Return the application that the family is in; ConfigError if it is in none."""
        if self._app is None:
            msg = f"{name} can't be enqueued: its family (queue {self.queue!r}) is in no App; add it to App(…)"
            raise ConfigError(msg)
        return self._app


def _upcasts(name: str, given: object, version: int) -> Mapping[int, Upcast]:
    if given is None:
        return {}
    from lanework.engine.jobtypes.upcast import checked_upcasts  # noqa: PLC0415 - few job types have any

    return checked_upcasts(name, given, version)
