"""The command that retires ended jobs before they expire."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from lanework.cli.connect import informed
from lanework.cli.options import AsJson, OnlyQueue, Yes, duration_option
from lanework.cli.output import answer, out, print_job_that_does_it, print_json, table_of
from lanework.cli.param_types import end
from lanework.cli.production import confirm_change
from lanework.cli.progress import bar
from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.queries.search import check_names
from lanework.errors import InvalidOptionError
from lanework.model.lifecycle.retention import Cleaning
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from lanework.engine.maintenance.cleanup import Cleaned, CleanPlan


def clean(
    queue: OnlyQueue = None,
    status: Annotated[
        State,
        typer.Option(parser=end, metavar="STATE", help="Jobs that ended in this state: completed, dead or cancelled."),
    ] = State.COMPLETED,
    older_than: Annotated[
        timedelta | None, duration_option("Only jobs that ended longer ago: 90, 10m, 1h30m, 2d.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="All but the newest N of each queue; 0 keeps none.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count the jobs that would be retired, and change nothing.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """
    Retire ended jobs: payload, result, errors and log are removed, and no list shows the job.

    Its id stays used until its record expires. Dead jobs are dropped first. Over 100 are retired by a job of their own.

    Example: lanework clean --queue email --older-than 2d --keep 100
    """
    if older_than is None and keep is None:
        msg = "no jobs are selected: give --older-than 2d, or --keep 100, or both; --keep 0 means every one"
        raise InvalidOptionError(msg)
    app = informed(queue, changes=not dry_run)
    before = None if older_than is None else app.ports.clock() - older_than
    plan = app.runtime.cleanups.plan(Cleaning(state=status, queue=queue, keep=keep or 0, ended_before=before))
    if plan.count == 0 and app.registry.types:
        check_names(app.registry, type_=None, queue=queue)
    if dry_run or plan.count == 0:
        _print_plan(plan, is_dry_run=dry_run, as_json=as_json)
        return
    confirm_change(f"Remove the content of {_count(plan)} for good, and take them off the lists?", yes=yes)
    with bar("cleaning", total=plan.count) as show:
        became = app.runtime.cleanups.clean(plan, between=lambda done: show(done.retired + done.passed_over))
    _print_outcome(plan, became, as_json=as_json)


def _print_plan(plan: CleanPlan, *, is_dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(_json(plan, dry_run=is_dry_run))
    elif plan.count == 0:
        out().print("nothing to clean: no such job")
    else:
        out().print(table_of(("jobs", "type"), ((count, type_) for type_, count in plan.types.items())))
        out().print(f"\nWould retire {_count(plan)}. Nothing was changed.", markup=False)


def _print_outcome(plan: CleanPlan, became: Cleaned | Receipt[object], *, as_json: bool) -> None:
    shown = _json(plan, dry_run=False)
    if isinstance(became, Receipt):
        print_job_that_does_it(f"{_count(plan)} are being retired", became.job_id, shown, as_json=as_json)
        return
    done = {"retired": became.retired, "passedOver": became.passed_over}
    passed = f", {became.passed_over} passed over: already redriven or dropped" if became.passed_over else ""
    text = f"{became.retired} of {plan.count} retired{passed}"
    answer({**shown, **done}, text, as_json=as_json)


def _json(plan: CleanPlan, *, dry_run: bool) -> dict[str, object]:
    return {
        "action": "clean",
        "status": plan.cleaning.state,
        "dryRun": dry_run,
        "matched": plan.count,
        "isCounted": plan.is_counted,
        "types": dict(plan.types),
    }


def _count(plan: CleanPlan) -> str:
    jobs = f"{plan.count:,} {plan.cleaning.state} {'job' if plan.count == 1 else 'jobs'}"
    return jobs if plan.is_counted else f"at least {jobs}"
