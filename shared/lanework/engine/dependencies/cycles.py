"""Jobs and workflows that would wait for each other in a circle, and so for ever: found before one is enqueued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.errors import InvalidOptionError
from lanework.model.lifecycle.states import State
from lanework.model.workflow.workflow import When, read_ref, ref_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lanework.engine.ports.bundle import Ports


def check_circle(after: Mapping[str, Sequence[str]]) -> None:
    """Refuse what waits for itself, through whatever others; a workflow waits for what is in it."""
    cleared: set[str] = set()
    for first in after:
        path: dict[str, Iterator[str]] = {first: iter(after[first])}
        while path:
            name = next(reversed(path))
            waits_for = next(path[name], None)
            if waits_for is None:
                cleared.add(name)
                del path[name]
            elif waits_for in path:
                names = [*path]
                circle = " → ".join([*names[names.index(waits_for) :], waits_for])
                msg = f"jobs can't wait for each other in a circle: {circle}"
                raise InvalidOptionError(msg)
            elif waits_for not in cleared and waits_for in after:
                path[waits_for] = iter(after[waits_for])


def with_beyond(after: Mapping[str, Sequence[str]], ports: Ports) -> dict[str, Sequence[str]]:
    """Return what new jobs wait for, and what that waits for, up to the last."""
    found = dict(after)
    names = {one for waits_for in after.values() for one in waits_for} - found.keys()
    while names:
        jobs = sorted(name for name in names if read_ref(name) is None)
        seen: dict[str, Sequence[str]] = {name: _inside(name, ports) for name in names.difference(jobs)}
        records = ports.ledger.get_many(jobs, consistent=True)
        seen |= {one.job_id: one.open_parents for one in records.values() if one.state is State.BLOCKED}
        found |= dict.fromkeys(names, ()) | seen
        names = {one for waits_for in seen.values() for one in waits_for} - found.keys()
    return found


def around(workflow_id: str, ports: Ports) -> dict[str, Sequence[str]]:
    """Return which workflows wait for this one, since it is part of them."""
    found: dict[str, Sequence[str]] = {}
    inner = ports.workflows.get(workflow_id)
    while inner is not None and inner.parent is not None:
        found[ref_of(inner.parent)] = (ref_of(inner.workflow_id),)
        inner = ports.workflows.get(inner.parent)
    return found


def _inside(name: str, ports: Ports) -> tuple[str, ...]:
    """Return what a workflow, or its end or failure, waits for."""
    workflow_id, when = read_ref(name) or ("", When.COMPLETED)
    if when is not When.COMPLETED:
        return (ref_of(workflow_id),)
    workflow = ports.workflows.get(workflow_id)
    if workflow is None or workflow.closed_at is not None:
        return ()
    numbers = range(1, workflow.shards + 1)
    return tuple(one for number in numbers for one in ports.workflows.names(workflow_id, number))
