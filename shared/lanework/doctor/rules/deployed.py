"""Rules about what only a live stack shows; on a template they have nothing to look at."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.doctor.case import Complaint, rule
from lanework.doctor.resources import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case

LARGEST_SKEW: Final = timedelta(seconds=2)
"""AWS tells its time in whole seconds, and the answer travels."""

_SHOWN: Final = 5


@rule(why="it was changed by hand, or a change was never deployed: the next deployment changes it")
def drift(case: Case) -> Iterator[Complaint]:
    """The stack is as template.yaml and its parameters describe it."""
    if case.live.intended is None:
        return
    todo = "sam build && sam deploy makes it what template.yaml says; or put the change into template.yaml"
    has, should = dict(case.graph.everything()), dict(case.live.intended.everything())
    for logical_id in should.keys() - has.keys():
        yield Complaint(about=logical_id, what="template.yaml has it, the stack doesn't", todo=todo)
    for logical_id in has.keys() - should.keys():
        yield Complaint(about=logical_id, what="the stack has it, template.yaml doesn't", todo=todo)
    for logical_id in sorted(has.keys() & should.keys()):
        for line in _differences(has[logical_id], should[logical_id]):
            yield Complaint(about=logical_id, what=line, todo=todo)


def _differences(has: Any, should: Any) -> Iterator[str]:  # noqa: ANN401 - any of the graph's values
    if isinstance(has, Role):
        if _as_sets(has) != _as_sets(should):
            yield "what it allows is not what template.yaml says"
        return
    for field in fields(has):
        mine, theirs = getattr(has, field.name), getattr(should, field.name)
        if mine == theirs:
            continue
        if field.name == "variables":
            names = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
            yield f"its variables {', '.join(names)} are not what template.yaml says"
        elif field.name == "body":
            yield "it is not what template.yaml says"
        else:
            yield f"{field.name.removeprefix('is_').replace('_', ' ')}: {mine}, template.yaml says {theirs}"


def _as_sets(role: Role) -> set[tuple[bool, frozenset[str], frozenset[str]]]:
    return {(one.allows, frozenset(one.actions), frozenset(one.resources)) for one in role.statements}


@rule(why="the code here is not the code that runs")
def code(case: Case) -> Iterator[Complaint]:
    """The deployed layer holds the code that is here."""
    files = case.live.changed_files
    if not files:
        return
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    yield Complaint(
        about="SharedLayer",
        what=f"what is deployed differs from shared/ here: {', '.join(files[:_SHOWN])}{more}",
        todo="sam build && sam deploy; or, if the stack is ahead, update your copy",
    )


@rule(why="a worker can't run it, and it dies with the cause unknown_type")
def unknown_types(case: Case) -> Iterator[Complaint]:
    """Every waiting job has a type that the code declares."""
    for name, count in case.live.unknown_types.items():
        yield Complaint(
            about=name,
            what=f"{count} {'job waits' if count == 1 else 'jobs wait'}, or died of it, whose type no code here has",
            todo=f"deploy the code that has it, then: lanework dlq redrive --type {name}",
        )


@rule(why="it was enqueued before these were reserved, by accident or to keep a schedule from running")
def own_ids(case: Case) -> Iterator[Complaint]:
    """No application's job has an id of Lanework's own, such as a schedule's run."""
    for job_id, type_ in case.live.taken.items():
        yield Complaint(
            about=job_id,
            what=f"a job of type {type_} has this id, which is Lanework's own: its run takes the next id",
            todo=f"find out who enqueued it: lanework get {job_id}; no caller can any more, with this release",
        )


@rule(why="its producer stopped between the record and the message; it waits until the clock sends it")
def unsent(case: Case) -> Iterator[Complaint]:
    """No job is queued while its lane is empty."""
    for lane, count in case.live.unsent.items():
        yield Complaint(
            about=lane,
            what=f"{count} of the newest jobs {'is' if count == 1 else 'are'} queued while the lane is empty: "
            "recorded, and never sent",
            todo=f"lanework list --status queued --lane {lane} shows them; the clock function sends them within five "
            "minutes: if they stay, look into its log",
        )


@rule(why="a producer or worker here starts jobs early or late, and ends leases that aren't over")
def clock_skew(case: Case) -> Iterator[Complaint]:
    """This machine's clock is within 2 s of AWS's."""
    if abs(case.live.skew) <= LARGEST_SKEW:
        return
    seconds = case.live.skew.total_seconds()
    yield Complaint(
        about="this machine",
        what=f"its clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} AWS's",
        todo="sudo timedatectl set-ntp true (Linux), sudo sntp -sS time.apple.com (macOS)",
    )


@rule(why="it can't check what it can't read")
def readable(case: Case) -> Iterator[Complaint]:
    """The doctor's calls are permitted."""
    for one in case.live.refusals:
        yield Complaint(
            about=one.on,
            what=f"the doctor may not look: {one.action} was refused",
            todo=f"allow {one.action} to whoever runs this (docs/doctor.md has the whole policy), and run it again",
        )


RULES: Final = (drift, code, unknown_types, own_ids, unsent, clock_skew, readable)
