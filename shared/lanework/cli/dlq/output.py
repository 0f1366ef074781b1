"""How dead jobs, plans and what became of them are printed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import typer

from lanework.cli.exits import Exit
from lanework.cli.jobs import failures_of
from lanework.cli.output import answer, complain, fields_of, out, print_job_that_does_it, print_json, say_more, table_of
from lanework.cli.times import stamp
from lanework.engine.deadletters.bulk_redrive import RedriveSummary
from lanework.engine.deadletters.view import DeadGroup, Unreadable
from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.queries.job_view import as_json as job_json
from lanework.model.job.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from lanework.engine.deadletters.dlq_scan import Unread
    from lanework.engine.deadletters.groups import Grouping
    from lanework.engine.deadletters.query import DeadList, RedrivePlan
    from lanework.engine.deadletters.refused_messages import RefusedMessage
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import JobRecord

Action = Literal["redrive", "drop"]

_APART = frozenset({"failures", "retired"})
"""Fields with a table of their own, and one that no dead job has."""

_DONE: dict[Action, str] = {"redrive": "redriven", "drop": "dropped"}


def print_list(found: DeadList, unreadable: Mapping[Lane, Unread], *, as_json: bool) -> None:
    """Print a page of the list, and what lies in dead-letter queues that is nobody's job."""
    if as_json:
        letters = [one.to_json() for one in Unreadable.each(unreadable)]
        beside = {"unreadable": letters} if letters else {}
        print_json({"jobs": [_json(job) for job in found.jobs], "cursor": found.cursor, **beside})
        return
    if found.jobs:
        out().print(_table(found.jobs))
        say_more(found.cursor)
    else:
        out().print("no job is dead" if found.cursor is None else "none in this page")
    for lane, one in unreadable.items():
        messages = "1 message" if one.count == 1 else f"{one.count:,} messages"
        out().print(f"\n{messages} in the dead-letter queue of lane {lane}, and no job: {one.problem}", markup=False)
    if unreadable:
        out().print("lanework dlq messages  lists them")


def print_groups(grouping: Grouping, *, as_json: bool) -> None:
    """Print the dead by error."""
    if as_json:
        groups = [DeadGroup.of(one, one.shape).to_json() for one in grouping.groups]
        print_json({"groups": groups, "isCounted": grouping.is_counted})
        return
    if not grouping.groups:
        out().print("no job is dead")
        return
    rows = (
        (
            *(one.count, one.fingerprint, ", ".join(one.causes), ", ".join(one.types)),
            *(stamp(one.latest.ended_at), one.latest.job_id, one.shape),
        )
        for one in grouping.groups
    )
    out().print(table_of(("jobs", "fingerprint", "cause", "type", "last died", "for example", "error"), rows))
    if not grouping.is_counted:
        out().print("\nThere are more: the latest 10,000 are counted.")


def print_messages(found: Sequence[RefusedMessage], *, sent: bool, as_json: bool) -> None:
    """Print messages that are no jobs, as they lie there or as they were sent again."""
    if as_json:
        print_json({"messages": [one.to_json() for one in found]})
        return
    if sent:
        out().print("1 message was sent again" if len(found) == 1 else f"{len(found):,} messages were sent again")
        return
    if not found:
        out().print("no message was refused")
        return
    rows = ((one.queue, one.type, one.job_id or one.message_id, one.reason) for one in found)
    out().print(table_of(("queue", "type", "id", "reason"), rows))


def print_job(record: JobRecord, lines: Sequence[str], *, only_payload: bool, as_json: bool) -> None:
    """Print one dead job, or only its payload."""
    if only_payload:
        sys.stdout.write(f"{record.payload}\n")
        return
    if as_json:
        print_json({**_json(record), "log": lines})
        return
    out().print(fields_of({name: value for name, value in _json(record).items() if name not in _APART}))
    out().print()
    out().print(failures_of(record))
    for line in lines:
        out().print(line, markup=False)


def print_plan(action: Action, plan: RedrivePlan, *, as_json: bool) -> None:
    """Print what would move."""
    if as_json:
        print_json(_plan_json(action, plan, dry_run=True))
        return
    out().print(_table(plan.jobs))
    _print_left(plan.left_out)
    more = "" if plan.is_one_page else f", the first {len(plan.jobs)} are shown"
    out().print(f"\nWould {action} {_count(plan)}{more}. Nothing was changed.", markup=False)


def print_summary(
    action: Action, plan: RedrivePlan, became: RedriveSummary | Receipt[object], *, as_json: bool
) -> None:
    """
    Print what became of a plan.

    Raises:
        typer.Exit: A canary was stopped, or jobs that were named by their ids were left out; exit code 1.
    """
    left = dict(plan.left_out)
    if isinstance(became, Receipt):
        shown = _plan_json(action, plan, dry_run=False)
        what = f"{_count(plan)} are being {_DONE[action]}"
        print_job_that_does_it(what, became.job_id, shown, as_json=as_json)
    else:
        left |= became.left
        _print_done(action, plan, became, as_json=as_json)
    if not as_json:
        _print_left(left)
    if isinstance(became, RedriveSummary) and became.stopped is not None:
        remaining = plan.count - became.moved - became.passed_over
        complain(f"stopped: {became.stopped}; {remaining} were left as they are")
        raise typer.Exit(Exit.FAILED)
    if left and plan.filter.job_ids:
        complain(f"{len(left)} of the {len(plan.left_out) + plan.count} jobs could not be {_DONE[action]}")
        raise typer.Exit(Exit.FAILED)


def _print_done(action: Action, plan: RedrivePlan, became: RedriveSummary, *, as_json: bool) -> None:
    done = {"moved": became.moved, "passedOver": became.passed_over, "stopped": became.stopped}
    shown = {**_plan_json(action, plan, dry_run=False, left=became.left), **done}
    passed = f", {became.passed_over} passed over" if became.passed_over else ""
    answer(shown, f"{became.moved} of {plan.count + len(plan.left_out)} {_DONE[action]}{passed}", as_json=as_json)


def _print_left(left: Mapping[str, str]) -> None:
    for job_id, why in left.items():
        out().print(f"left as it is: {job_id} ({why})", markup=False)


def print_redriven_with_payload(record: JobRecord, *, as_json: bool) -> None:
    """Print that a job was redriven with another payload."""
    done = {"action": "redrive", "dryRun": False, "matched": 1, "moved": 1, "jobs": [_json(record)]}
    answer(done, "1 of 1 redriven, with the new payload", as_json=as_json)


def _plan_json(
    action: Action, plan: RedrivePlan, *, dry_run: bool, left: Mapping[str, str] | None = None
) -> dict[str, object]:
    return {
        "action": action,
        "dryRun": dry_run,
        "matched": plan.count,
        "isCounted": plan.is_counted,
        "jobs": [_json(job) for job in plan.jobs],
        "leftOut": {**plan.left_out, **(left or {})},
    }


def _table(jobs: Sequence[JobRecord]) -> Table:
    columns = ("id", "type", "lane", "cause", "life", "attempts", "died", "error")
    rows = (
        (one.job_id, one.type, one.lane, one.cause, one.life, one.attempts, stamp(one.ended_at), one.error)
        for one in jobs
    )
    return table_of(columns, rows)


def _json(record: JobRecord) -> dict[str, object]:
    return {**job_json(record), "fingerprint": fingerprint_of(record)}


def _count(plan: RedrivePlan) -> str:
    jobs = "1 job" if plan.count == 1 else f"{plan.count:,} jobs"
    return jobs if plan.is_counted else f"at least {jobs}"
