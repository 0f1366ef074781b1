"""Where the boxes of a workflow's graph go."""

from __future__ import annotations

from lanework.engine.workflows.graph import Edge, Graph, Node
from lanework.http.dashboard.graph import layout
from lanework.model.workflow.workflow import When

ROOT = Node(name="workflow/w", type="chain", state="running", within=None, role="workflow")


def a_job(name: str, *, state: str = "completed", type_: str = "a", role: str = "job") -> Node:
    return Node(name=name, type=type_, state=state, within="workflow/w", role=role)


def drawn(*jobs: Node, waits: tuple[tuple[str, str], ...] = ()) -> dict[str, tuple[int, int]]:
    """Return the first job of each box, and where it is, in columns and rows."""
    edges = tuple(Edge(parent=parent, child=child, when=When.COMPLETED) for parent, child in waits)
    boxes = layout(Graph(nodes=(ROOT, *jobs), edges=edges, left_out=0)).boxes
    columns, rows = sorted({box.x for box in boxes}), sorted({box.y for box in boxes})
    return {box.first.name: (columns.index(box.x), rows.index(box.y)) for box in boxes}


def test_what_waits_stands_to_the_right_of_all_it_waits_for() -> None:
    found = drawn(
        a_job("last", type_="c"),
        a_job("first"),
        a_job("middle", type_="b"),
        waits=(("first", "middle"), ("middle", "last"), ("first", "last")),
    )

    assert (found["first"][0], found["middle"][0], found["last"][0]) == (0, 1, 2)


def test_jobs_that_are_alike_are_one_box_that_leads_to_the_worst() -> None:
    jobs = [a_job(f"job-{number}", state="dead" if number == 7 else "completed") for number in range(100)]

    (box,) = (box for box in layout(Graph(nodes=(ROOT, *jobs), edges=(), left_out=0)).boxes if box.first is not ROOT)

    assert (box.state, box.first.name, box.states) == ("dead", "job-7", (("dead", 1), ("completed", 99)))


def test_few_jobs_are_a_box_each() -> None:
    assert len([name for name in drawn(a_job("a"), a_job("b"), a_job("c")) if name != ROOT.name]) == 3


def test_the_workflow_is_drawn_where_its_callbacks_wait_for_it() -> None:
    found = drawn(a_job("job"), a_job("called", type_="b", role="success"), waits=((ROOT.name, "called"),))

    assert (found["job"][0], found[ROOT.name][0], found["called"][0]) == (0, 1, 2)


def test_a_workflow_without_jobs_is_an_empty_drawing() -> None:
    assert layout(Graph(nodes=(ROOT,), edges=(), left_out=0)).boxes == ()
