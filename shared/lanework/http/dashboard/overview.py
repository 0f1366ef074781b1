"""The first page: what is wrong, lane by lane, what happened in the last hour and day, and what is due."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from lanework.engine.sla.late_starts import Within
from lanework.engine.stats.statistics import Window
from lanework.http.dashboard.charts import bars, line, parts_of
from lanework.http.dashboard.rendering import Pages, page
from lanework.http.dashboard.words import HOUR, plural
from lanework.model.stats.alert_rules import Rule
from lanework.model.stats.alerts import Alert, Alerts
from lanework.model.stats.buckets import Bucket, Kind
from lanework.model.stats.numbers import Count, Numbers, together

_NEWEST = 6
_DUE_NEXT = 6
_MONTH = timedelta(days=30)

_ENDS = {"completed": Count.COMPLETED, "retrying": Count.FAILED, "dead": Count.DEAD}


class OverviewPages(Pages):
    """Shows how everything does."""

    @page("/")
    def overview_page(self) -> Response[str]:
        """Show how everything does."""
        seen = self.app.runtime.overview()
        hour, day = seen.overview.hour, seen.overview.day
        incidents = day.incidents
        return self.show(
            "overview.html",
            seen=seen,
            alerts=[(one, _page_of(one)) for one in Alerts.at_text(seen.overview.alerts).active],
            due=self.app.schedules.upcoming(_DUE_NEXT),
            charts=[_chart("Last hour", hour, "%H:%M"), _chart("Last 24 hours", day, "%a %H:%M")],
            deaths=[one for one in incidents if one.kind is Kind.DEATH][:_NEWEST],
            late=[one for one in incidents if one.kind is Kind.LATE][:_NEWEST],
            line=line,
            parts_of=parts_of,
        )

    @page("/cost")
    def cost_page(self) -> Response[str]:
        """Show what jobs cost."""
        costs = self.app.runtime.costs(self.app.runtime.statistics.overview().day)
        return self.show("cost.html", costs=costs, times_a_month=_MONTH / costs.over)


def _page_of(alert: Alert) -> str:
    """Return the page where something can be done about an alert, from the root."""
    match alert.rule:
        case Rule.DEATH:
            return f"dead?{urlencode({'type': alert.subject, 'within': Within.HOUR})}"
        case Rule.DEATHS:
            return f"dead?within={Within.DAY}"
        case Rule.FAILED:
            return f"dead?lane={alert.subject}"
        case Rule.WAITING:
            return f"jobs?status=queued&lane={alert.subject}"
        case Rule.TAKEN:
            return f"jobs/{alert.subject}"
        case Rule.SLA:
            return f"jobs?late={Within.HOUR}&lane={alert.subject}"


def _chart(title: str, window: Window, form: str) -> dict[str, object]:
    steps = [together(bucket.numbers.values()) for bucket in window.buckets]
    chart = bars({name: [step[count] for step in steps] for name, count in _ENDS.items()})
    numbers = together(window.numbers.values())
    return {
        "title": title,
        "chart": chart,
        "numbers": {name: numbers[count] for name, count in _ENDS.items()},
        "failure_share": numbers.failure_share,
        "labels": [_label(bucket, step, form, window.step) for bucket, step in zip(window.buckets, steps, strict=True)],
        "from": window.buckets[0].at,
    }


def _label(bucket: Bucket, step: Numbers, form: str, length: timedelta) -> str:
    ends = bucket.at + length
    when = f"{bucket.at:{form}}" + (f" to {ends:%H:%M}" if length == HOUR else "")
    failed = f", {plural(step[Count.FAILED], 'failed attempt')}" if step[Count.FAILED] else ""
    dead = f", {step[Count.DEAD]} dead" if step[Count.DEAD] else ""
    return f"{when} UTC: {step[Count.COMPLETED]:,} completed{failed}{dead}"
