"""`python -m bench`: asks every question, and writes the answers to docs/performance/ and docs/performance.md."""

from __future__ import annotations

import logging
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bench import page
from bench.endpoint import ministack, redis
from bench.lanes import critical_waits
from bench.measure import measure
from bench.peers import prepare
from bench.plan import rounds
from bench.scale import costs_at
from bench.start import cold_starts

say = Console(stderr=True, highlight=False).print


def main(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer jobs and systems, once each; writes nothing.")] = False,
    only: Annotated[
        str, typer.Option(help="Only the questions whose name begins so; the others keep their answers.")
    ] = "",
) -> None:
    """Measure Lanework beside a bare boto loop and its peers, and count what it costs."""
    logging.getLogger("lanework").setLevel(logging.WARNING)  # it fills tables in this process
    began = time.monotonic()
    results: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="minutes"), "rounds": {}}
    with tempfile.TemporaryDirectory() as folder:
        results["rounds"] = _ask(Path(folder), only, is_quick=quick)
        if not only:
            results |= _count(Path(folder), is_quick=quick)
    results["minutes"] = round((time.monotonic() - began) / 60, 1)
    typer.echo(page.summary(results))
    if not quick:
        page.write(page.renewed(results) if only else results)
        say(f"written: {page.PAGE} and {page.FOLDER}/")
    missed = page.missed(results)
    for one in missed:
        say(f"missed: {one.what}: {one.found}, bound {one.bound}", soft_wrap=True)
    if any(one.is_counted for one in missed):  # a ratio of times may be the machine's
        raise typer.Exit(1)


def _ask(folder: Path, only: str, *, is_quick: bool) -> dict[str, Any]:
    """Put the questions; each system gets an endpoint that holds nothing of the others' yet."""
    answers: dict[str, Any] = {}
    for one in (one for one in rounds(is_quick=is_quick) if one.name.startswith(only)):
        for system in one.systems:
            prepare(system)
        found: dict[str, list[Any]] = {system.name: [] for system in one.systems}
        for number in range(one.repetitions):
            with ExitStack() as up:
                endpoint = up.enter_context(ministack(folder, one.latency_ms))
                wants_redis = any(system.on == "redis" for system in one.systems)
                address = up.enter_context(redis(folder)) if wants_redis else ""
                for system in one.systems:
                    say(f"{one.name} {number + 1}/{one.repetitions}: {system.name}")
                    answer = measure(system, one.case, endpoint=endpoint, redis=address, folder=folder)
                    found[system.name].append(asdict(answer))
        answers[one.name] = {"says": one.says, "systems": found}
    return answers


def _count(folder: Path, *, is_quick: bool) -> dict[str, Any]:
    sizes = (1_000, 5_000) if is_quick else (1_000, 100_000, 1_000_000)
    found: dict[str, Any] = {"scale": {}}
    for size in sizes:
        say(f"a table of {size:,} jobs")
        with ministack(folder) as endpoint:
            found["scale"][str(size)] = {what: asdict(cost) for what, cost in costs_at(endpoint, size).items()}
    say("critical jobs before thousands of others")
    with ministack(folder) as endpoint:
        behind, jobs = (500, 50) if is_quick else (10_000, 300)
        found["critical"] = asdict(critical_waits(endpoint, folder, behind=behind, jobs=jobs))
    say("cold starts")
    found["cold"] = cold_starts(3 if is_quick else 9)
    return found


if __name__ == "__main__":
    typer.run(main)
