"""The page and the charts that a run's results become."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench import at_scale
from bench.budgets import ROUND, Budget, budgets
from bench.peers import LANEWORK

if TYPE_CHECKING:
    import pygal

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = "docs/performance.md"
FOLDER: Final = "docs/performance"

_BEGIN: Final = "<!-- measured: written by make bench -->"
_END: Final = "<!-- end of what was measured -->"

_COLUMNS: Final = (
    ("drained_per_s", "jobs/s", "{:,.0f}"),
    ("worker_calls", "AWS calls a job", "{:.2f}"),
    ("worker_cpu_ms", "worker CPU ms a job", "{:.2f}"),
    ("memory_mb", "memory MB", "{:.0f}"),
    ("p50_ms", "code p50 ms", "{:.1f}"),
    ("enqueued_per_s", "enqueued/s", "{:,.0f}"),
    ("enqueue_calls", "calls to enqueue", "{:.2f}"),
    ("enqueue_cpu_ms", "producer CPU ms", "{:.2f}"),
    ("writes", "items written", "{:.2f}"),
)


def summary(results: dict[str, Any]) -> str:
    """Return the budgets and the tables, as Markdown."""
    parts = ["| budget | bound | found | |", "| --- | --- | --- | --- |"]
    parts += [f"| {one.what} | {one.bound} | {one.found} | {one.verdict} |" for one in budgets(results)]
    parts += ["", *(f"- {name}: not measured: {reason}" for name, reason in results.get("absent", {}).items())]
    for one in results["rounds"].values():
        again = f" (measured again {one['at']})" if "at" in one else ""
        parts += ["", f"**{one['says']}**{again}", "", *_table(one["systems"])]
    if "dispatch" in results:
        parts += ["", "**Milliseconds from enqueue to the first line of code**", "", *_dispatch(results["dispatch"])]
    if "scale" in results:
        parts += [
            "",
            "**AWS calls, what is read, and milliseconds, by how many jobs the table holds**",
            "",
            *_scale(results["scale"]),
        ]
    if "cold" in results:
        parts += ["", "**A cold start: imports and clients**", "", "| of | CPU ms | modules |", "| --- | ---: | ---: |"]
        parts += [f"| {of} | {one['cpu_ms']:.0f} | {one['modules']:.0f} |" for of, one in results["cold"].items()]
    return "\n".join(parts)


def missed(results: dict[str, Any]) -> list[Budget]:
    """Return the budgets that weren't kept."""
    return [one for one in budgets(results) if one.is_kept is False]


def renewed(results: dict[str, Any]) -> dict[str, Any]:
    """Return what was written before, with these answers in the place of its own; each says when it was measured."""
    before: dict[str, Any] = json.loads((ROOT / FOLDER / "results.json").read_text())
    again = {name: {**answer, "at": results["at"]} for name, answer in results["rounds"].items()}
    parts = {name: answer for name, answer in results.items() if name not in {"at", "minutes"}}
    return {**before, **parts, "rounds": {**before["rounds"], **again}}


def write(results: dict[str, Any]) -> None:
    """Write the results, the charts, and what lies between the marks of the page."""
    folder = ROOT / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    if all(results["rounds"]["single"]["systems"].get(one.system.name) for one in at_scale.FLEETS):
        at_scale.COUNTED.write_text(json.dumps(at_scale.counted(results), indent=1) + "\n")
        at_scale.PAGE.write_text(at_scale.written(at_scale.PAGE.read_text()))
    systems = {name: found for name, found in results["rounds"][ROUND]["systems"].items() if found}
    _chart("jobs a second, 16 at once", "drained_per_s", systems).render_to_file(str(folder / "throughput.svg"))
    on_aws = {name: found for name, found in systems.items() if "Redis" not in name}
    _chart("AWS calls a job to run it", "worker_calls", on_aws).render_to_file(str(folder / "calls.svg"))
    page = ROOT / PAGE
    before, _, rest = page.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    said = f"{_BEGIN}\n\nMeasured {results['at']}, in {results['minutes']} minutes.\n\n{summary(results)}\n\n{_END}"
    page.write_text(f"{before}{said}{after}")


def _table(systems: dict[str, list[dict[str, Any]]]) -> list[str]:
    head = " | ".join(title for _, title, _ in _COLUMNS)
    rows = [f"| system | {head} |", f"| --- |{' --- |' * len(_COLUMNS)}"]
    for name, found in ((name, found) for name, found in systems.items() if found):
        cells = " | ".join(_cell([one[figure] for one in found], form) for figure, _, form in _COLUMNS)
        rows.append(f"| {f'**{name}**' if name == LANEWORK.name else name} | {cells} |")
    return rows


def _cell(values: list[float], form: str) -> str:
    """Return the median, and how far the others lie from it, where that is worth a word."""
    low, mid, high = (form.format(one) for one in (min(values), median(values), max(values)))
    return mid if low == high else f"{mid} ({low}–{high})"


def _scale(scale: dict[str, dict[str, Any]]) -> list[str]:
    rows = [f"| what | {' | '.join(f'{int(size):,} jobs' for size in scale)} |", f"| --- |{' --- |' * len(scale)}"]
    for what in next(iter(scale.values())):
        cells = (one[what] for one in scale.values())
        rows.append(f"| {what} | {' | '.join(map(_looked, cells))} |")
    return rows


def _looked(cell: dict[str, Any]) -> str:
    calls = ", ".join(f"{count} {service}" for service, count in cell["calls"].items())
    bare = f"; by boto alone {cell['bare_ms']:.0f} ms" if cell.get("bare_ms") else ""
    read = f", {cell['read']} read" if cell.get("read") else ""
    own = f"{read}; {cell['cpu_ms']:.0f} ms of CPU here" if "cpu_ms" in cell else ""
    return f"{calls}{own}; {cell['ms']:.0f} ms{bare}"


def _dispatch(found: dict[str, dict[str, Any]]) -> list[str]:
    rows = ["| worker | warm p50 | warm p99 | cold p50 | cold p99 |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, one in found.items():
        cells = " | ".join(f"{one[f'{kind}_ms']:,.0f}" for kind in ("warm_p50", "warm_p99", "cold_p50", "cold_p99"))
        rows.append(f"| {name} | {cells} |")
    return rows


def _chart(title: str, figure: str, systems: dict[str, list[dict[str, Any]]]) -> pygal.HorizontalBar:
    import pygal  # noqa: PLC0415 - it hooks into the imports of whoever loads it
    from pygal.style import CleanStyle  # noqa: PLC0415

    chart = pygal.HorizontalBar(
        title=title,
        style=CleanStyle,
        js=[],
        show_legend=False,
        print_values=True,
        height=60 + 36 * len(systems),
        width=900,
    )
    chart.value_formatter = lambda value: f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
    chart.x_labels = list(reversed(systems))
    values = [median(one[figure] for one in found) for found in reversed(systems.values())]
    chart.add(
        title,
        [
            {"value": value, "color": "#1f6feb" if name == LANEWORK.name else "#9aa4b2"}
            for name, value in zip(chart.x_labels, values, strict=True)
        ],
    )
    return chart
