"""Commands about dead jobs: list, show, redrive, drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lanework.cli.connect import application, connected, informed
from lanework.cli.dlq.options import Asked, Chosen
from lanework.cli.dlq.output import (
    print_groups,
    print_job,
    print_list,
    print_messages,
    print_plan,
    print_redriven_with_payload,
    print_summary,
)
from lanework.cli.options import (
    AsJson,
    Cursor,
    JobId,
    OnlyType,
    PageOfJobs,
    Yes,
    group,
    payload_option,
    with_options,
)
from lanework.cli.output import answer, say
from lanework.cli.param_types import payload
from lanework.cli.param_types import rate as rate_
from lanework.cli.production import confirm_change
from lanework.cli.progress import bar
from lanework.engine.deadletters.query import DeadList
from lanework.engine.jobtypes.builtin import RedriveOptions
from lanework.errors import InvalidOptionError, NothingMatchesError
from lanework.model.job.dead_filter import DeadFilter

if TYPE_CHECKING:
    from lanework.app import App
    from lanework.engine.deadletters.groups import Grouping
    from lanework.engine.deadletters.query import RedrivePlan

app = group("dlq", "Look at dead jobs, give them another life, or drop them.")

OfQueue = Annotated[
    str | None,
    typer.Option("--queue", help="Only a lane's, or a queue of events: aws-events, or an SqsQueue's."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would move, and change nothing.")]


@app.command("list")
@with_options
def list_(
    asked: Asked,
    group: Annotated[
        bool, typer.Option("--group", help="By error, without the parts that differ from job to job.")
    ] = False,
    limit: PageOfJobs = 20,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """
    List dead jobs, the latest death first.

    Example: lanework dlq list --lane high --younger-than 2h --group
    """
    app_ = connected()
    which = asked.filter(app_.ports.clock())
    if group:
        print_groups(_groups(app_, asked, which), as_json=as_json)
        return
    found = _page(app_, which, limit=limit, cursor=cursor)
    if not found.jobs and cursor is None and which != DeadFilter():
        asked.check_names()
        raise app_.dead_letters.jobs.nothing(which)
    unreadable = app_.dead_letters.unreadable() if found.cursor is None else {}
    print_list(found, unreadable, as_json=as_json)


@app.command()
def show(
    job_id: JobId,
    only_payload: Annotated[
        bool, typer.Option("--payload", help="Print its payload and nothing else, to edit it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """
    Show a dead job: why it died, every failure that is kept, and what it wrote.

    Example: lanework dlq show 01JD… --payload > payload.json
    """
    app_ = connected()
    record = app_.dead_letters.jobs.get(job_id)
    lines = () if only_payload else app_.inspector.log(job_id)
    print_job(record, lines, only_payload=only_payload, as_json=as_json)


@app.command()
@with_options
def redrive(
    chosen: Chosen,
    dry_run: DryRun = False,
    canary: Annotated[
        bool, typer.Option("--canary", help="One first, then a tenth, then the rest; stops if one dies again.")
    ] = False,
    rate: Annotated[
        float | None, typer.Option(parser=rate_, metavar="N", help="Most jobs a second, 0.1 to 1000.")
    ] = None,
    payload_: Annotated[str | None, payload_option("Another payload, for exactly one job.")] = None,
    native: Annotated[
        bool, typer.Option("--native", help="Let SQS move all tickets of a lane (StartMessageMoveTask).")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """
    Redrive dead jobs: attempts start over, the history stays.

    More than 100 are redriven by a job of their own, which shows its progress and can be cancelled.

    Example: lanework dlq redrive --cause exhausted --error "connection refused" --canary
    """
    options = RedriveOptions(rate=rate, canary=canary)
    if native:
        _redrive_natively(chosen, options, is_plain=not dry_run and payload_ is None, yes=yes, as_json=as_json)
    elif payload_ is not None:
        _redrive_with(chosen, payload(payload_), dry_run=dry_run, as_json=as_json)
    else:
        _redrive(chosen, options, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
@with_options
def drop(
    chosen: Chosen,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """
    Drop dead jobs for good: they are cancelled, and can't be redriven.

    Example: lanework dlq drop --type report.month --older-than 7d --dry-run
    """
    app_ = connected(changes=not dry_run)
    plan = chosen.plan(app_)
    if dry_run:
        print_plan("drop", plan, as_json=as_json)
        return
    confirm_change(f"Drop {_what(plan)} for good?", yes=yes)
    with bar("dropping", total=plan.count) as show:
        became = app_.dead_letters.drop(plan, between=lambda it: show(it.moved + it.passed_over))
    print_summary("drop", plan, became, as_json=as_json)


@app.command()
def messages(queue: OfQueue = None, type_: OnlyType = None, as_json: AsJson = False) -> None:
    """
    List messages of dead-letter queues that are no jobs: open messages and events that were refused, with the reason.

    Example: lanework dlq messages --queue high
    """
    print_messages(informed().dead_letters.messages.all(queue, type_=type_), sent=False, as_json=as_json)


@app.command()
def resend(queue: OfQueue = None, type_: OnlyType = None, as_json: AsJson = False) -> None:
    """
    Send open messages and events that were refused to their queue again, to be checked anew. Safe to repeat.

    Example: lanework dlq resend --type report.month
    """
    messages_ = informed(changes=True).dead_letters.messages
    print_messages(messages_.resend(queue, type_=type_), sent=True, as_json=as_json)


def _groups(app_: App, asked: Asked, which: DeadFilter) -> Grouping:
    try:
        return app_.dead_letters.groups(which)
    except NothingMatchesError:
        asked.check_names()
        raise


def _page(app_: App, which: DeadFilter, *, limit: int, cursor: str | None) -> DeadList:
    """Read on until the page is full or the list is over: one reading looks at 1,000 dead jobs only."""
    found = app_.dead_letters.jobs.page(which, limit=limit, cursor=cursor)
    jobs = found.jobs
    while found.cursor is not None and len(jobs) < limit:
        found = app_.dead_letters.jobs.page(which, limit=limit - len(jobs), cursor=found.cursor)
        jobs += found.jobs
    return DeadList(jobs=jobs, cursor=found.cursor)


def _redrive(chosen: Chosen, options: RedriveOptions, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    app_ = connected(changes=not dry_run)
    plan = chosen.plan(app_)
    if dry_run:
        print_plan("redrive", plan, as_json=as_json)
        return
    if plan.count > 1:
        confirm_change(f"Redrive {_what(plan)}?", yes=yes)
    if options.canary and plan.is_one_page:
        say("one goes first, then a tenth, then the rest; each step is waited for …")
    with bar("redriving", total=plan.count) as show:
        became = app_.dead_letters.redrive(plan, options, between=lambda it: show(it.moved + it.passed_over))
    print_summary("redrive", plan, became, as_json=as_json)


def _redrive_with(chosen: Chosen, text: str, *, dry_run: bool, as_json: bool) -> None:
    ids = chosen.ids or []
    if len(ids) != 1:
        msg = f"--payload is for exactly one job, by its id; got {len(ids)} ids"
        raise InvalidOptionError(msg)
    app_ = application(changes=not dry_run)
    plan = chosen.plan(app_)
    if dry_run:
        app_.dead_letters.checked_edit(plan.jobs[0], text)
        print_plan("redrive", plan, as_json=as_json)
        return
    app_.dead_letters.redrive_job(ids[0], payload=text)
    print_redriven_with_payload(plan.jobs[0], as_json=as_json)


def _redrive_natively(chosen: Chosen, options: RedriveOptions, *, is_plain: bool, yes: bool, as_json: bool) -> None:
    lane = chosen.lane
    if lane is None or chosen != Chosen(lane=lane) or not is_plain or options.canary:
        msg = "--native moves all tickets of one lane and takes no filter: dlq redrive --native --lane X [--rate N]"
        raise InvalidOptionError(msg)
    rate = None if options.rate is None else int(options.rate)
    if rate != options.rate:
        msg = f"with --native, --rate is a whole number from 1 to 500, got {options.rate:g}"
        raise InvalidOptionError(msg)
    app_ = connected(changes=True)
    confirm_change(f"Move everything in the dead-letter queue of lane {lane} back to it?", yes=yes)
    app_.dead_letters.move_back(lane, rate=rate)
    answer(
        {"action": "redrive", "native": True, "lane": lane, "rate": rate},
        f"SQS is moving the tickets of lane {lane}; `lanework stats` shows how many are left",
        as_json=as_json,
    )


def _what(plan: RedrivePlan) -> str:
    jobs = "1 dead job" if plan.count == 1 else f"{plan.count:,} dead jobs"
    return f"{'' if plan.is_counted else 'at least '}{jobs}" + (f" ({plan.filter})" if str(plan.filter) else "")
