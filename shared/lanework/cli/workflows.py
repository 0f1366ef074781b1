"""Commands about workflows: list, show, results, cancel, retry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text
from rich.tree import Tree

from lanework.cli.connect import connected
from lanework.cli.options import AsJson, Yes, group, limit_option
from lanework.cli.output import STYLES, answer, out, print_json, say_more, table_of
from lanework.cli.param_types import job_id as existing
from lanework.cli.production import confirm_change
from lanework.cli.times import stamp
from lanework.engine.workflows import view
from lanework.model.lifecycle.states import State
from lanework.model.workflow.workflow import When, WorkflowState

if TYPE_CHECKING:
    from lanework.engine.workflows.graph import Graph, Node
    from lanework.engine.workflows.query import JobResult, WorkflowStatus

app = group("workflow", "Chains, groups and batches: where they stand, what is in them; cancel them, retry what died.")

Id = Annotated[str, typer.Argument(metavar="ID", parser=existing, help="The workflow.")]

_WIDEST: Final = 60
"""Characters of a result in a table."""

_STYLES: dict[str, str] = {state.value: STYLES.get(state, "") for state in State} | {
    WorkflowState.COMPLETED.value: "green",
    WorkflowState.FAILED.value: "red",
    WorkflowState.RUNNING.value: "blue",
    WorkflowState.CANCELLED.value: "dim",
}


@app.command("list")
def list_(
    limit: Annotated[int, limit_option("of them")] = 20,
    as_json: AsJson = False,
) -> None:
    """
    List the latest workflows, newest first. Those that are a step of another are shown with it.

    Example: lanework workflow list --json
    """
    found = connected().workflows.newest(limit=limit)
    if as_json:
        print_json([view.Workflow.of(one).to_json() for one in found])
        return
    if not found:
        out().print("there are no workflows of the last 15 days")
        return
    rows = [
        (one.workflow_id, one.kind, one.state, one.jobs, stamp(one.created_at), stamp(one.closed_at)) for one in found
    ]
    out().print(table_of(("id", "kind", "state", "jobs", "enqueued", "ended"), rows))


@app.command()
def show(
    workflow_id: Id,
    most: Annotated[int, typer.Option("--most", "-n", min=1, max=500, help="Most nodes to draw, 1 to 500.")] = 50,
    as_json: AsJson = False,
) -> None:
    """
    Show a workflow's state, and draw its jobs: dead, cancelled and open ones first, chains in their order.

    Example: lanework workflow show nightly-2026-11-24
    """
    status, graph = connected().workflows.drawn(workflow_id, most=most)
    if as_json:
        print_json({**view.CountedWorkflow.counted(status).to_json(), **view.Graph.of(graph).to_json()})
        return
    out().print(_summary(status))
    out().print(_tree(graph))
    if graph.left_out:
        rest = f"lanework workflow results {workflow_id} lists all its jobs"
        out().print(f"… and {graph.left_out:,} more; --most draws up to 500, {rest}", markup=False)


@app.command()
def results(
    workflow_id: Id,
    limit: Annotated[int, limit_option("of them")] = 100,
    cursor: Annotated[int | None, typer.Option(min=0, help="The cursor that the page before printed.")] = None,
    as_json: AsJson = False,
) -> None:
    """
    List all jobs of a workflow, in their order, with their results; nested workflows have their own lists.

    Example: lanework workflow results nightly-2026-11-24 --json
    """
    page = connected().workflows.result_page(workflow_id, after=cursor, limit=limit)
    if as_json:
        results = tuple(view.Result.of(one) for one in page.results)
        print_json(view.Results(results=results, cursor=page.next).to_json())
        return
    out().print(table_of(("id", "state", "result"), [(one.job_id, one.state, _came_of(one)) for one in page.results]))
    say_more(page.next)


@app.command()
def cancel(
    workflow_id: Id,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """
    Cancel a workflow: jobs that wait end at once, running ones are asked to stop. Its callbacks for that run.

    Example: lanework workflow cancel nightly-2026-11-24 --yes
    """
    workflows = connected(changes=True).workflows
    counts = workflows.get(workflow_id).counts
    confirm_change(
        f"Cancel workflow {workflow_id}, {counts.open:,} of whose {counts.jobs:,} jobs have not ended?", yes=yes
    )
    _print(workflow_id, workflows.cancel(workflow_id), "cancelled, or asked to stop", as_json=as_json)


@app.command()
def retry(workflow_id: Id, as_json: AsJson = False) -> None:
    """
    Redrive the dead jobs of a workflow, and of workflows nested in it; jobs that wait for it then continue.

    Example: lanework workflow retry nightly-2026-11-24
    """
    _print(workflow_id, connected(changes=True).workflows.retry(workflow_id), "redriven", as_json=as_json)


def _print(workflow_id: str, jobs: int, what: str, *, as_json: bool) -> None:
    answer(
        {"workflowId": workflow_id, "jobs": jobs},
        f"{workflow_id}: {jobs:,} {'job' if jobs == 1 else 'jobs'} {what}",
        as_json=as_json,
    )


def _summary(status: WorkflowStatus) -> Text:
    record, counts = status.record, status.counts
    parts = [
        Text(f"{getattr(counts, name):,} {name}", style=_STYLES.get(name, ""))
        for name in ("dead", "cancelled", "open", "completed")
        if getattr(counts, name)
    ]
    said = f"{record.kind}, {status.percent} % of {counts.jobs:,} {'job' if counts.jobs == 1 else 'jobs'} ended"
    state = (record.state, _STYLES[record.state])
    return Text.assemble((record.workflow_id, "bold"), " is ", state, f": {said} (", Text(", ").join(parts), ")")


def _came_of(one: JobResult) -> str:
    """Return a result in short, or why it wasn't kept."""
    text = one.omitted or ("" if one.result is None else json.dumps(one.result, ensure_ascii=False))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _tree(graph: Graph) -> Tree:
    """Draw each workflow as a branch, and behind each job what it waits for."""
    waits: dict[str, list[str]] = {}
    for edge in graph.edges:
        said = edge.parent if edge.when is When.COMPLETED else f"{edge.parent}, {edge.when}"
        waits.setdefault(edge.child, []).append(said.removeprefix("workflow/"))
    root = Tree(_label(graph.nodes[0], []), guide_style="dim")
    branches = {graph.nodes[0].name: root}
    for node in graph.nodes[1:]:
        branches[node.name] = branches[str(node.within)].add(_label(node, waits.get(node.name, [])))
    return root


def _label(node: Node, waits: list[str]) -> Text:
    name = node.name.removeprefix("workflow/")
    role = "" if node.role in ("job", "workflow") else f"on_{node.role} "
    style = _style(node.state)
    text = Text.assemble((role, "dim"), name, f"  {node.type or ''}  ", (node.state or "gone", style))
    if node.life > 1:
        text.append(f" (life {node.life})", style="dim")
    if waits:
        text.append(f"  after {', '.join(waits)}", style="dim")
    if node.error and node.state == State.DEAD:
        text.append(f"  {node.error}", style="red")
    return text


def _style(state: str | None) -> str:
    return _STYLES.get(state, "dim") if state is not None else "dim"
