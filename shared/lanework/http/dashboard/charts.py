"""Charts as paths of SVG: no library, no inline style, which the pages' policy would refuse. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STEP: Final = 10
GAP: Final = 2
HEIGHT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """
    Bars, one for each step, whose parts are stacked.

    Attributes:
        width: Of the view box; its height is 100.
        paths: A path for each series, the lowest first.
        most: The highest bar's value; the chart's upper edge.
        totals: Each step's value.
    """

    width: int
    paths: Mapping[str, str]
    most: int
    totals: tuple[int, ...]


def bars(series: Mapping[str, Sequence[int]]) -> Chart:
    """Return a chart of series of the same length, stacked in their order."""
    totals = tuple(sum(values) for values in zip(*series.values(), strict=True))
    most = max(totals, default=0)
    below = [0] * len(totals)
    paths: dict[str, str] = {}
    for name, values in series.items():
        parts = []
        for index, value in enumerate(values):
            if value:
                bottom = HEIGHT - HEIGHT * below[index] / most
                height = max(HEIGHT * value / most, 1)  # a single death among thousands is seen, too
                parts.append(f"M{index * STEP + GAP // 2} {bottom:.1f}v-{height:.1f}h{STEP - GAP}v{height:.1f}z")
            below[index] += value
        paths[name] = "".join(parts)
    return Chart(width=len(totals) * STEP, paths=paths, most=most, totals=totals)


def line(values: Sequence[int]) -> str:
    """Return the path of an area under a line, 100 high; empty if all of it is zero."""
    most = max(values, default=0)
    if not most:
        return ""
    points = " ".join(f"L{index * STEP} {HEIGHT - HEIGHT * value / most:.0f}" for index, value in enumerate(values))
    return f"M0 {HEIGHT}{points}L{(len(values) - 1) * STEP} {HEIGHT}z".replace(" L", "L")


def parts_of(values: Mapping[str, int], width: int = HEIGHT) -> tuple[tuple[str, float, float], ...]:
    """Return where each part of a bar begins and how wide it is, without those that are nothing."""
    total = sum(values.values())
    placed, begins = [], 0.0
    for name, value in values.items():
        if value:
            share = max(width * value / total, 1.5)
            placed.append((name, round(begins, 1), round(share, 1)))
            begins += share
    return tuple(placed)
