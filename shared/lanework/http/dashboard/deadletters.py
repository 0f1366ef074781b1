"""Pages of dead jobs: by error, the jobs of one error, and what a redrive or a drop would move before it does."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from lanework.engine.deadletters.bulk_redrive import RedriveSummary
from lanework.engine.deadletters.query import RedrivePlan
from lanework.engine.deadletters.redrive import RedriveResult
from lanework.engine.jobtypes.builtin import RedriveOptions
from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.sla.late_starts import Within
from lanework.errors import InvalidOptionError, UnknownNameError
from lanework.http.dashboard.rendering import Pages, form, page
from lanework.http.dashboard.words import DAY, HOUR, plural
from lanework.http.forms import Form
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lanes import lane_of

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS = 50

_NAMED: Final = 8
"""Jobs that an action's note names: it is a cookie, of which browsers take 4 KB."""

_MOVED: Final[dict[str, str]] = {RedriveResult.NOT_DEAD: "already redriven or dropped"}

Word = Annotated[str, Query()]


class DeadLetterPages(Pages):
    """Shows dead jobs, and moves them."""

    @page("/dead")
    def groups_page(
        self,
        lane: Word = "",
        queue: Word = "",
        type: Word = "",  # noqa: A002
        within: Word = "",
        all: Word = "",  # noqa: A002
    ) -> Response[str]:
        """Show the dead by their error: the newest 100, or all of them."""
        among = _Among(lane=lane, queue=queue, type=type, within=within)
        which = among.filter(self.app.ports.clock())
        found = self.app.dead_letters.groups(which) if all else self.app.dead_letters.latest_groups(which)
        return self.show(
            "dead.html",
            found=replace(found, groups=tuple(replace(one, shape=self.sight.shape(one)) for one in found.groups)),
            count=sum(group.count for group in found.groups),
            asked=among.asked,
            is_all=bool(all),
            unreadable=self.app.dead_letters.unreadable() if found.is_counted else {},
        )

    @page("/dead/{fingerprint}")
    def group_page(
        self,
        fingerprint: Annotated[str, Path()],
        lane: Word = "",
        queue: Word = "",
        type: Word = "",  # noqa: A002
        within: Word = "",
        cursor: Word = "",
    ) -> Response[str]:
        """Show the dead of one error."""
        among = _Among(lane=lane, queue=queue, type=type, within=within)
        which = replace(among.filter(self.app.ports.clock()), fingerprint=fingerprint)
        found = self.app.dead_letters.jobs.page(which, limit=ROWS, cursor=cursor or None)
        found = replace(found, jobs=self.sight.records(found.jobs))
        return self.show(
            "dead_group.html", found=found, fingerprint=fingerprint, asked=among.asked, is_first=not cursor
        )

    @form("/dead/plan")
    def plan_page(self) -> Response[str]:
        """Show what a redrive or a drop would move, and ask."""
        wanted = _Wanted.of(self.form, self.app.ports.clock())
        plan = self.app.dead_letters.jobs.plan_of_chosen(wanted.which)
        if plan.count == 0:
            return self.see("dead", f"Nothing was changed. {_left(plan.left_out)}")
        return self.show(
            "dead_plan.html",
            wanted=wanted,
            plan=plan,
            left=_left(plan.left_out, most=len(plan.left_out)) if plan.left_out else "",
            asked=wanted.among.asked,
            before=self.app.dead_letters.fixed(plan).died_before,
        )

    @form("/dead/redrive")
    def redrive_many(self) -> Response[str]:
        """Give dead jobs another life; what takes longer than a request is a job, whose page is shown."""
        wanted = _Wanted.of(self.form, self.app.ports.clock())
        plan = self.app.dead_letters.jobs.plan_of_chosen(wanted.which)
        became = self.app.dead_letters.redrive(plan, wanted.options, can_wait=False)
        return self.see(*_answer("Redriven", "redrives", plan, became))

    @form("/dead/drop")
    def drop_many(self) -> Response[str]:
        """Give dead jobs up for good; many of them by a job, whose page is shown."""
        wanted = _Wanted.of(self.form, self.app.ports.clock())
        plan = self.app.dead_letters.jobs.plan_of_chosen(wanted.which)
        return self.see(*_answer("Dropped", "drops", plan, self.app.dead_letters.drop(plan)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """
    What a form of these pages asks for.

    Attributes:
        action: What is to become of the jobs.
        among: The filters of the page that it was on.
        which: Which jobs: chosen ones, those of one error, or all; of these, those that the page before showed.
        options: At which pace, and whether as a canary.
    """

    action: Literal["redrive", "drop"]
    among: _Among
    which: DeadFilter
    options: RedriveOptions

    @classmethod
    def of(cls, form: Form, now: datetime) -> _Wanted:
        """
        Return what a form says.

        Raises:
            InvalidOptionError: It says nothing of which jobs, or its rate is no number.
            UnknownNameError: There is no such lane.
        """
        chosen, error = form.many("job"), form.one("fingerprint")
        if not (chosen or error or form.one("all")):
            msg = "no job is selected: tick some, or choose all of an error"
            raise InvalidOptionError(msg)
        words = {name: form.one(name) or "" for name in ("lane", "queue", "type", "within")}
        among = _Among(**words)
        return cls(
            action="drop" if form.one("action") == "drop" else "redrive",
            among=among,
            which=replace(
                among.filter(now),
                fingerprint=error,
                job_ids=() if error else chosen,  # "all of them" is a button beside the ticks
                died_before=form.moment("before"),
            ),
            options=RedriveOptions(canary=form.one("canary") is not None, rate=form.number("rate")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Among:
    """The page's filters, as they were chosen; an empty one says nothing."""

    lane: str
    queue: str
    type: str
    within: str

    @property
    def asked(self) -> dict[str, str]:
        """Those that say something, for links and forms that keep them."""
        return {name: word for name, word in asdict(self).items() if word}

    def filter(self, now: datetime) -> DeadFilter:
        """
        Return what they say.

        Raises:
            UnknownNameError: There is no such lane, or no such time.
        """
        ago = {"": None, Within.HOUR: HOUR, Within.DAY: DAY}
        if self.within not in ago:
            kind = "time"
            raise UnknownNameError(kind, self.within, list(Within))
        since = ago[self.within]
        return DeadFilter(
            lane=lane_of(self.lane) if self.lane else None,
            queue=self.queue or None,
            type=self.type or None,
            died_after=None if since is None else now - since,
        )


def _answer(done: str, does: str, plan: RedrivePlan, became: RedriveSummary | Receipt[Any]) -> tuple[str, str]:
    """Return the page that says what became of a plan, and the sentence."""
    if isinstance(became, Receipt):
        jobs = f"{'' if plan.is_counted else 'at least '}{plural(plan.count, 'dead job')}"
        said, path = f"This job {does} {jobs}; cancelling it leaves the rest unchanged.", f"jobs/{became.job_id}"
        left = plan.left_out
    else:
        said, path = f"{done}: {plural(became.moved, 'job')}." if plan.count else "Nothing was changed.", "dead"
        left = {**plan.left_out, **{one: _MOVED.get(why, why) for one, why in became.left.items()}}
    return path, f"{said} {_left(left)}" if left else said


def _left(why: Mapping[str, str], *, most: int = _NAMED) -> str:
    """Return which jobs are left as they are, and why."""
    more = f", and {len(why) - most} more" if len(why) > most else ""
    return f"Not changed: {', '.join(f'{one} ({reason})' for one, reason in islice(why.items(), most))}{more}."
