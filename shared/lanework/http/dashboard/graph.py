"""Where the boxes and lines of a workflow's graph go: levels from left to right, what is alike in one box. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanework.engine.workflows.graph import Graph, Node

BOX_WIDTH: Final = 190
BOX_HEIGHT: Final = 46
_ACROSS: Final = BOX_WIDTH + 60
_DOWN: Final = BOX_HEIGHT + 14
_MARGIN: Final = 4

MOST_ALONE: Final = 3
"""Jobs of one type that wait for the same and for which the same waits are one box where they are more."""

_WORST_FIRST: Final = (
    "dead",
    "failed",
    "running",
    "retrying",
    "queued",
    "scheduled",
    "parked",
    "blocked",
    "cancelled",
    "completed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """
    One job, several that are alike, or a workflow within.

    Attributes:
        nodes: What it stands for.
        x, y: Its upper left corner.
    """

    nodes: tuple[Node, ...]
    x: int
    y: int

    @property
    def state(self) -> str:
        """The worst that one of them stands in; `gone` if no record tells."""
        states = {node.state for node in self.nodes}
        return next((one for one in _WORST_FIRST if one in states), "gone")

    @property
    def first(self) -> Node:
        """The one of them that it leads to: one in the worst state."""
        return next((node for node in self.nodes if node.state == self.state), self.nodes[0])

    @property
    def states(self) -> tuple[tuple[str, int], ...]:
        """How many of them stand where, the worst first."""
        counts = Counter(node.state or "gone" for node in self.nodes)
        return tuple((state, counts[state]) for state in (*_WORST_FIRST, "gone") if counts[state])


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """
    A graph that can be drawn.

    Attributes:
        boxes: What is drawn, level by level.
        lines: Paths of SVG, from what is waited for to what waits.
    """

    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    width: int
    height: int


def layout(graph: Graph) -> Layout:
    """Return where everything of a workflow goes. The workflow itself is drawn only where something waits for it."""
    edges = {(edge.parent, edge.child) for edge in graph.edges} | set(_ends(graph))
    waited_for = {parent for parent, _ in edges}
    nodes = [node for place, node in enumerate(graph.nodes) if place or node.name in waited_for]
    shown = {node.name for node in nodes}
    edges = {(parent, child) for parent, child in edges if parent in shown and child in shown}
    groups = _alike(nodes, edges)
    box_of = {node.name: place for place, group in enumerate(groups) for node in group}
    links = sorted({(box_of[parent], box_of[child]) for parent, child in edges if box_of[parent] != box_of[child]})
    levels = _levels(len(groups), links)
    ways = [_way(parent, child, levels) for parent, child in links]
    steps = [step for way in ways for step in pairwise(way)]
    placed = _placed([*groups, *((),) * (len(levels) - len(groups))], steps, levels)
    return Layout(
        boxes=tuple(placed[place] for place in range(len(groups))),
        lines=tuple(_line([placed[place] for place in way]) for way in ways),
        width=max((box.x for box in placed.values()), default=0) + BOX_WIDTH + _MARGIN,
        height=max((box.y for box in placed.values()), default=0) + BOX_HEIGHT + _MARGIN,
    )


def _ends(graph: Graph) -> Iterable[tuple[str, str]]:
    """Return lines to each workflow from those of its parts that nothing else of it waits for."""
    within = {node.name: node.within for node in graph.nodes}
    waited_for = {edge.parent for edge in graph.edges if within.get(edge.parent) == within.get(edge.child)}
    for node in graph.nodes:
        if node.within is not None and node.role in {"job", "workflow"} and node.name not in waited_for:
            yield node.name, node.within


def _alike(nodes: Sequence[Node], edges: set[tuple[str, str]]) -> list[tuple[Node, ...]]:
    parents: dict[str, set[str]] = {}
    children: dict[str, set[str]] = {}
    for parent, child in edges:
        parents.setdefault(child, set()).add(parent)
        children.setdefault(parent, set()).add(child)
    found: dict[object, list[Node]] = {}
    for node in nodes:
        around = frozenset(parents.get(node.name, ())), frozenset(children.get(node.name, ()))
        found.setdefault((node.type, node.role, node.within, around), []).append(node)
    groups: list[tuple[Node, ...]] = []
    for same in found.values():
        is_one = len(same) > MOST_ALONE and same[0].role != "workflow"
        groups += [tuple(same)] if is_one else [(node,) for node in same]
    return groups


def _levels(count: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """Return each box's level: one more than the highest of those that it waits for. Ids can't make circles."""
    levels = [0] * count
    for _ in range(count):
        before = list(levels)
        for parent, child in links:
            levels[child] = max(levels[child], levels[parent] + 1)
        if levels == before:
            break
    return levels


def _way(parent: int, child: int, levels: list[int]) -> list[int]:
    """Return a line's places, with a free one on each level that it crosses, so that it passes beside the boxes."""
    way = [parent]
    for level in range(levels[parent] + 1, levels[child]):
        way.append(len(levels))
        levels.append(level)
    return [*way, child]


def _placed(
    groups: Sequence[tuple[Node, ...]], links: Sequence[tuple[int, int]], levels: Sequence[int]
) -> Mapping[int, Box]:
    """Return the boxes, those of a level in the order of what they wait for, so that few lines cross."""
    rows: dict[int, float] = {}
    placed: dict[int, Box] = {}
    for level in range(max(levels, default=-1) + 1):
        of_level = [place for place, one in enumerate(levels) if one == level]
        above = {place: [rows[parent] for parent, child in links if child == place] for place in of_level}
        of_level.sort(key=lambda place: (sum(above[place]) / len(above[place]) if above[place] else 0, place))
        for row, place in enumerate(of_level):
            rows[place] = row
            placed[place] = Box(nodes=groups[place], x=_MARGIN + level * _ACROSS, y=_MARGIN + row * _DOWN)
    return placed


def _line(places: Sequence[Box]) -> str:
    """Return a path from the first box through the free places to the last."""
    x, y = places[0].x + BOX_WIDTH, places[0].y + BOX_HEIGHT // 2
    path = f"M{x} {y}"
    for box in places[1:]:
        to_x, to_y = box.x, box.y + BOX_HEIGHT // 2
        middle = (x + to_x) // 2
        path += f"C{middle} {y} {middle} {to_y} {to_x} {to_y}" + ("" if box.nodes else f"h{BOX_WIDTH}")
        x, y = to_x + BOX_WIDTH, to_y
    return path
