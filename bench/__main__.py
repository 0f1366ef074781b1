"""`python -m bench`: asks every question, and writes the answers to docs/performance/ and docs/performance.md."""

from __future__ import annotations

import logging
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bench import page
from bench.dispatch import LAMBDA, dispatch_of, lambda_dispatch
from bench.endpoint import ministack, redis
from bench.lanes import critical_waits
from bench.measure import measure
from bench.peers import BULLMQ, CELERY, LANEWORK, TASKIQ, why_not_measured
from bench.plan import rounds
from bench.scale import costs_at
from bench.start import cold_starts

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.peers import System

say = partial(Console(stderr=True, highlight=False).print, soft_wrap=True)


def main(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer jobs and systems, once each; writes nothing.")] = False,
    only: Annotated[
        str, typer.Option(help="Only the questions whose name begins so; the others keep their answers.")
    ] = "",
) -> None:
    """Measure Lanework beside a bare boto loop and its peers, and count what it costs."""
    logging.disable(logging.WARNING)  # this process fills tables, and says itself what it does
    began = time.monotonic()
    results: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="minutes"), "rounds": {}, "absent": {}}
    with tempfile.TemporaryDirectory() as folder:
        _ask(Path(folder), only, results, is_quick=quick)
        for name, part in _PARTS.items():
            if name.startswith(only):
                say(f"{name}: {(part.__doc__ or '').splitlines()[0]}")
                results[name] = part(Path(folder), results, is_quick=quick)
    results["minutes"] = round((time.monotonic() - began) / 60, 1)
    typer.echo(page.summary(results))
    if not quick:
        page.write(page.renewed(results) if only else results)
        say(f"written: {page.PAGE} and {page.FOLDER}/")
    missed = page.missed(results)
    for one in missed:
        say(f"missed: {one.what}: {one.found}, bound {one.bound}")
    is_ours_absent = any(name.startswith(LANEWORK.name) for name in results["absent"])
    if is_ours_absent or any(one.is_counted for one in missed):  # a ratio of times may be the machine's
        raise typer.Exit(1)


def _ask(folder: Path, only: str, results: dict[str, Any], *, is_quick: bool) -> None:
    """Put the questions; each system gets an endpoint that holds nothing of the others' yet."""
    for one in (one for one in rounds(is_quick=is_quick) if one.name.startswith(only)):
        systems = [system for system in one.systems if _can_be_measured(system, results)]
        found: dict[str, list[Any]] = {system.name: [] for system in systems}
        for number in range(one.repetitions):
            with ExitStack() as up:
                endpoint = up.enter_context(ministack(folder, one.latency_ms))
                address = up.enter_context(redis(folder)) if any(system.on == "redis" for system in systems) else ""
                for system in systems:
                    say(f"{one.name} {number + 1}/{one.repetitions}: {system.name}")
                    ask = partial(measure, system, one.case, endpoint=endpoint, redis=address, folder=folder)
                    found[system.name] += _answers(ask, system, one.name, results)
        results["rounds"][one.name] = {"says": one.says, "systems": found}


def _answers(ask: Callable[[], Any], system: System, question: str, results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what came out, or nothing of a system that failed, which is one line."""
    try:
        return [asdict(ask())]
    except RuntimeError as error:
        results["absent"][f"{system.name}, {question}"] = _last_line(error)
        say(f"{system.name}: not measured: {_last_line(error)}")
        return []


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]


def _can_be_measured(system: System, results: dict[str, Any]) -> bool:
    reason = why_not_measured(system)
    if reason is not None and system.name not in results["absent"]:
        results["absent"][system.name] = reason
        say(f"{system.name}: not measured: {reason}")
    return reason is None


def _dispatch(folder: Path, results: dict[str, Any], *, is_quick: bool) -> dict[str, Any]:
    """From enqueue to the first line of code, workers up and not."""
    jobs, starts = (20, 1) if is_quick else (100, 3)
    systems = [one for one in (LANEWORK, CELERY, TASKIQ, BULLMQ) if _can_be_measured(one, results)]
    found: dict[str, list[Any]] = {}
    with ExitStack() as up:
        endpoint = up.enter_context(ministack(folder))
        address = up.enter_context(redis(folder)) if any(one.on == "redis" for one in systems) else ""
        for one in systems:
            ask = partial(dispatch_of, one, endpoint=endpoint, redis=address, folder=folder, jobs=jobs, starts=starts)
            found[one.name] = _answers(ask, one, "dispatch", results)
    found[LAMBDA] = _answers(
        partial(lambda_dispatch, jobs=jobs, starts=starts), LANEWORK, "dispatch on Lambda", results
    )
    return {name: answers[0] for name, answers in found.items() if answers}


def _scale(folder: Path, _: dict[str, Any], *, is_quick: bool) -> dict[str, Any]:
    """What looking at a table costs, by how many jobs it holds."""
    sizes = (1_000, 5_000) if is_quick else (1_000, 100_000, 1_000_000)
    found: dict[str, Any] = {}
    for size in sizes:
        with ministack(folder) as endpoint:
            found[str(size)] = {what: asdict(cost) for what, cost in costs_at(endpoint, size).items()}
    return found


def _critical(folder: Path, _: dict[str, Any], *, is_quick: bool) -> dict[str, Any]:
    """Critical jobs before thousands of others."""
    with ministack(folder) as endpoint:
        behind, jobs = (500, 50) if is_quick else (10_000, 300)
        return asdict(critical_waits(endpoint, folder, behind=behind, jobs=jobs))


def _cold(_: Path, __: dict[str, Any], *, is_quick: bool) -> dict[str, Any]:
    """Cold starts."""
    return cold_starts(3 if is_quick else 9)


_PARTS = {"dispatch": _dispatch, "scale": _scale, "critical": _critical, "cold": _cold}
"""Questions of another kind than `rounds`, by name; each answer is kept under it."""


if __name__ == "__main__":
    typer.run(main)
