"""What the doctor examines: a project's template, or a live stack beside what the project says of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lanework.aws.deployed.code import deployed_files
from lanework.aws.deployed.reader import read_graph
from lanework.aws.deployed.stack import find_stack
from lanework.doctor.case import Case, Code, Live
from lanework.doctor.graph import Graph
from lanework.doctor.template import graph_of
from lanework.engine.enqueue.reserved_ids import taken_ids
from lanework.engine.jobtypes.job_type import resolve_policy
from lanework.engine.queries.unknown_types import LOOKED_AT, unknown_types
from lanework.engine.stats.unsent import unsent_now
from lanework.local.batch_notes import largest_batches
from lanework.local.deployment.sam_transform import REGION, translate
from lanework.local.deployment.template import read_template
from lanework.model.job.ids import QUEUE_OF_OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from lanework.app import App
    from lanework.aws.deployed.stack import Look, Stack
    from lanework.local.project import Project
    from lanework.settings import Settings

STACK = "lanework"
ACCOUNT = "000000000000"
"""What a template's names and ARNs are made with, where it is deployed nowhere yet."""


def code_of(app: App) -> Code:
    """Return what an application's code says."""
    types = app.registry.types
    return Code(
        attempts={one.name: resolve_policy(one.options).attempts for one in types},
        schedules=tuple(one.schedule for one in types if one.schedule is not None),
        lanes={one.name: resolve_policy(one.options).lane for one in types if one.queue != QUEUE_OF_OURS},
        batches=largest_batches(types),
    )


def template_case(template: dict[str, Any], code: Code | None, *, parameters: Mapping[str, str] | None = None) -> Case:
    """
    Return a template as the doctor sees it. Arguments as of `case_of`.

    Raises:
        StackError: The SAM transform refuses it.
    """
    return case_of(translate(template), code, parameters=parameters)


def case_of(template: dict[str, Any], code: Code | None, *, parameters: Mapping[str, str] | None = None) -> Case:
    """
    Return a template that the SAM transform has made as the doctor sees it.

    Args:
        parameters: Values of its parameters, where not their defaults.
    """
    graph = graph_of(template, stack=STACK, region=REGION, account=ACCOUNT, parameters=parameters or {})
    return Case(graph=graph, code=code)


def live_case(
    settings: Settings, look: Look, project: Project | None, app: App | None, *, clock: Callable[[], datetime]
) -> Case:
    """
    Return a live stack as the doctor sees it; without the project it was deployed from, drift can't be seen.

    Raises:
        ConfigError, UnavailableError: There is no such stack, nobody may ask, or AWS doesn't answer.
    """
    stack = find_stack(settings, look, clock=clock)
    graph = read_graph(stack, look, region=settings.region)
    intended = None
    if project is not None:
        intended = graph_of(
            translate(read_template(project.template)),
            stack=stack.name,
            region=settings.region,
            account=stack.account,
            parameters=stack.parameters,
            concurrency=graph.concurrency,
            given=_given_names(stack),
        )
        graph = _with_what_was_refused(graph, intended, {one.on for one in look.refusals})
    files = {} if project is None else deployed_files(stack, look)
    live = Live(
        skew=stack.skew,
        refusals=tuple(look.refusals),
        unknown_types={} if app is None else unknown_types(app.ports, app.registry),
        taken={} if app is None else {one.job_id: one.by for one in taken_ids(app.ports)},
        unsent={} if app is None else _unsent(app),
        changed_files=changed_files(files, project.layer_files) if project is not None and files else None,
        intended=intended,
    )
    return Case(graph=graph, code=None if app is None else code_of(app), live=live)


def _given_names(stack: Stack) -> dict[str, str]:
    """Return what the stack's resources are called, but for roles and policies, which go by their logical ids."""
    found = {one.id: one.physical_id for one in stack.resources if not one.type.startswith("AWS::IAM::")}
    return {name: re.split("[/:]", one)[-1] if one.startswith(("http", "arn:")) else one for name, one in found.items()}


def _unsent(app: App) -> dict[str, int]:
    counts = {lane: app.ports.lanes.live(lane) for lane in app.ports.stack_lanes}
    found = unsent_now(app.ports, counts, look_at=2 * LOOKED_AT)
    return {str(lane): len(jobs) for lane, jobs in found.items()}


def changed_files(deployed: Mapping[str, bytes], files: Mapping[Path, Path]) -> tuple[str, ...]:
    """Return which of our files differ between what is deployed and what is here; the build leaves some of them out."""
    here = {str(inside): file for inside, file in files.items()}
    ours = {name.partition("/")[0] for name in here}
    changed = [
        name
        for name, content in deployed.items()
        if name.partition("/")[0] in ours and "__pycache__" not in name and not name.endswith("/")
        if name not in here or here[name].read_bytes() != content
    ]
    missing = [
        name for name in here if name.endswith(".py") and not name.startswith("lanework/") and name not in deployed
    ]
    return tuple(sorted({*changed, *missing}))


def _with_what_was_refused(graph: Graph, intended: Graph, refused: set[str]) -> Graph:
    """Assume the best of what could not be read: the refusal is reported, and its consequences would only be noise."""
    added: dict[str, Any] = {
        kind: (*getattr(graph, kind), *(one for one in getattr(intended, kind) if one.id in refused))
        for kind in Graph.__slots__
        if isinstance(getattr(graph, kind), tuple)
    }
    return replace(graph, **added)
