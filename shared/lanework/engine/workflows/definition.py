"""Workflows as plans: chains, groups and batches of requests, nothing of which is enqueued yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from lanework.engine.jobtypes.arguments import listed
from lanework.engine.jobtypes.request import Request
from lanework.errors import InvalidOptionError
from lanework.model.job.ids import well_formed_job_id
from lanework.model.workflow.shard import SHARD, slot_of
from lanework.model.workflow.workflow import PREFIX, Kind, When, check_size, ref_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanework.model.workflow.workflow import WorkflowRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """
    A plan of several jobs. `app.workflows.enqueue` enqueues it; it may be a step of another.

    Attributes:
        kind: Whether its steps follow on each other, or run side by side.
        callbacks: What is enqueued with it and starts when it has completed, ended, or when one of its jobs failed.
    """

    kind: Kind
    steps: tuple[Request | Workflow, ...]
    callbacks: Mapping[When, Request] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.steps:
            msg = f"a {self.kind} needs at least one job: there is nothing to wait for without one"
            raise InvalidOptionError(msg)
        for step in self.steps:
            check_step(step, of=f"a {self.kind}")
        for when, callback in self.callbacks.items():
            _check_callback(callback, when)


def chain(*steps: Request | Workflow) -> Workflow:
    """
    Plan steps that follow on each other: each starts once the one before has completed.

    `job.link()` makes a step whose payload is the result of the job before it, or has it in one of its fields.

    Raises:
        InvalidOptionError: There is no step.
    """
    return Workflow(kind=Kind.CHAIN, steps=steps)


def group(steps: Iterable[Request | Workflow]) -> Workflow:
    """
    Plan steps that run side by side.

    As a step of a chain, the next step starts when all of them have completed; it reads their results page by page.

    Raises:
        InvalidOptionError: There is no step.
    """
    return Workflow(kind=Kind.GROUP, steps=tuple(listed("group", steps)))


def batch(
    steps: Iterable[Request | Workflow],
    *,
    on_success: Request | None = None,
    on_complete: Request | None = None,
    on_failure: Request | None = None,
) -> Workflow:
    """
    Plan steps that run side by side, and jobs that are called back, each once.

    Args:
        steps: Requests and other plans; up to 100,000.
        on_success: Starts when all of them have completed, if need be after those that died were redriven.
        on_complete: Starts when all of them have ended, whichever way.
        on_failure: Starts when the first of them is dead or cancelled; cancelled itself if none ever is.

    Raises:
        InvalidOptionError: There is no step.
    """
    asked = {When.COMPLETED: on_success, When.ENDED: on_complete, When.FAILED: on_failure}
    callbacks = {when: request for when, request in asked.items() if request is not None}
    return Workflow(kind=Kind.BATCH, steps=tuple(listed("batch", steps)), callbacks=callbacks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """
    One workflow of a plan, about to be recorded.

    Attributes:
        names: Its jobs and, as `workflow/ID`, the workflows in it, by their place.
        first: Its first shard.
        parent: The workflow that it is part of, if it is; `slot` is its place there.
    """

    workflow_id: str
    kind: Kind
    names: tuple[str, ...]
    first: int = 1
    parent: str | None = None
    slot: int | None = None

    @property
    def shards(self) -> int:
        """How many shards it takes."""
        return -(-len(self.names) // SHARD)


class Layout:
    """
    A plan laid out: every job and every workflow has its id, its place, and knows what it waits for.

    Attributes:
        requests: The jobs, those that others wait for first.
        drafts: The workflows, the outermost first.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.requests: list[Request] = []
        self.drafts: list[Draft] = []

    def add_workflow(
        self, plan: Workflow, workflow_id: str, *, after: tuple[str, ...] = (), at: tuple[str, int] | None = None
    ) -> None:
        """
        Lay out a plan whose first steps wait for `after`, `at` its place in the workflow that it is part of.

        Raises:
            InvalidOptionError: It has too many jobs, or a step takes a result that it can't have.
        """
        place, parent = len(self.drafts), None if at is None else at[0]
        names = tuple(_name(step, f"{workflow_id}.{number}") for number, step in enumerate(plan.steps, start=1))
        draft = Draft(
            workflow_id=workflow_id, kind=plan.kind, names=names, parent=parent, slot=None if at is None else at[1]
        )
        check_size(len(names), draft.shards)
        self.drafts.insert(place, draft)
        self.add_steps(draft, plan.steps, after)
        for when, callback in plan.callbacks.items():
            job_id = callback.job_id or f"{workflow_id}.on-{_WORDS[when]}"
            waits = (ref_of(workflow_id, when), *callback.after)
            self.requests.append(replace(callback, job_id=job_id, after=waits, workflow=workflow_id))

    def waits(self) -> dict[str, Sequence[str]]:
        """Return what each job waits for, and each workflow: for what is in it."""
        found: dict[str, Sequence[str]] = {str(one.job_id): one.after for one in self.requests}
        for draft in self.drafts:
            found |= waits_of(draft)
        return found

    def check_callbacks(self) -> None:
        """Refuse what is called back and is another job of the plan, too: an id is used once; it would not be made."""
        times = Counter(one.job_id for one in self.requests)
        for one in self.requests:
            if one.slot is None and times[one.job_id] > 1:
                msg = f"{one.job_id!r} is the id of a callback and of another job of the workflow: give it its own"
                raise InvalidOptionError(msg)

    def added(self, to: WorkflowRecord, steps: Sequence[Request | Workflow]) -> Draft:
        """Lay out steps that are added to a workflow which exists; they wait for nothing in it."""
        names = tuple(_name(step, f"{to.workflow_id}.{number}") for number, step in enumerate(steps, start=to.jobs + 1))
        draft = Draft(workflow_id=to.workflow_id, kind=Kind.GROUP, names=names, first=to.shards + 1)
        self.add_steps(draft, steps)
        return draft

    def add_steps(self, draft: Draft, steps: Sequence[Request | Workflow], after: tuple[str, ...] = ()) -> None:
        """Lay out the steps of a workflow; errors as in `add_workflow`."""
        before = after
        for index, (step, name) in enumerate(zip(steps, draft.names, strict=True)):
            slot = slot_of(draft.first + index // SHARD, index % SHARD)
            if isinstance(step, Workflow):
                nested = name.removeprefix(PREFIX)
                self.add_workflow(step, nested, after=before, at=(draft.workflow_id, slot))
            else:
                waits = (*before, *step.after)
                _check_takes(step, waits)
                well_formed_job_id(name)
                self.requests.append(replace(step, job_id=name, after=waits, workflow=draft.workflow_id, slot=slot))
            if draft.kind is Kind.CHAIN:
                before = (name,)


def waits_of(draft: Draft) -> dict[str, Sequence[str]]:
    """Return what a workflow waits for, and its end and its failure, under the names by which they are waited for."""
    whole = ref_of(draft.workflow_id)
    return {ref_of(draft.workflow_id, when): (whole,) for when in When} | {whole: draft.names}


def check_step(step: object, *, of: str) -> None:
    """Refuse a step that is something else, such as a list or a payload."""
    if not isinstance(step, Request | Workflow):
        hint = ": chain(a, b) takes its steps one by one" if isinstance(step, list | tuple) else ""
        msg = f"{of} takes what job.request(…), job.link(…), chain, group or batch returned, not a {_kind(step)}{hint}"
        raise InvalidOptionError(msg)


def _check_callback(callback: object, when: When) -> None:
    if not isinstance(callback, Request):
        msg = f"on_{_WORDS[when]} takes what job.request(…) returned, not a {_kind(callback)}"
        raise InvalidOptionError(msg)
    if callback.takes is not None:
        msg = (
            f"on_{_WORDS[when]} can't take a result, there are several: give {callback.type.name} a payload, and let "
            "it read them, app.workflows.results(…)"
        )
        raise InvalidOptionError(msg)


def _kind(found: object) -> str:
    return type(found).__name__


_WORDS: Final = {When.COMPLETED: "success", When.ENDED: "complete", When.FAILED: "failure"}


def _name(step: Request | Workflow, default: str) -> str:
    return f"{PREFIX}{default}" if isinstance(step, Workflow) else step.job_id or default


def _check_takes(step: Request, waits: Sequence[str]) -> None:
    if step.takes is None:
        return
    if not waits:
        msg = f"{step.type.name} takes the result of the job before it, and there is none: begin with a request"
        raise InvalidOptionError(msg)
    if waits[0].startswith(PREFIX):
        msg = (
            f"{step.type.name} takes the result of one job, and several come before it: give it a payload, and let it "
            "read them, app.workflows.results(…)"
        )
        raise InvalidOptionError(msg)
