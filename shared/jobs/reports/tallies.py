"""What each kind of report adds up, row by row. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, Protocol

from jobs.reports.sheet import Lines, harmless
from jobs.reports.summary import Summary

if TYPE_CHECKING:
    from jobs.store import Row

SEVERITIES: Final = ("critical", "high", "medium", "low")


class LongJobProgress(Protocol):
    """Adds rows up."""

    def add(self, row: Row) -> None:
        """Take a row into account."""

    def summary(self, title: str) -> Summary:
        """Return what the rows so far come to."""


class PipelineTally:
    """Runs of pipelines: how many, how many came out well, how long they took. Fields: pipeline, status, seconds."""

    fields = ("pipeline", "status", "seconds")

    def __init__(self) -> None:
        """Begin with no runs."""
        self._runs: Counter[str] = Counter()
        self._succeeded: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def add(self, row: Row) -> None:
        """Take a run into account."""
        name = row.fields["pipeline"]
        self._runs[name] += 1
        self._succeeded[name] += row.fields["status"].lower() == "success"
        self._seconds[name] += float(row.fields["seconds"])

    def summary(self, title: str) -> Summary:
        """Return a line for each pipeline, by name."""
        rows = tuple(
            (
                harmless(name),
                str(runs),
                str(self._succeeded[name]),
                str(runs - self._succeeded[name]),
                f"{100 * self._succeeded[name] / runs:.1f}",
                f"{self._seconds[name] / runs:.1f}",
            )
            for name, runs in sorted(self._runs.items())
        )
        columns = ("pipeline", "runs", "succeeded", "failed", "success %", "mean seconds")
        return Summary(title=title, columns=columns, rows=rows, bars=_bars(self._runs))


class CoverageTally:
    """How much of each file tests run, as it was measured last. Fields: file, lines, covered."""

    fields = ("file", "lines", "covered")

    def __init__(self) -> None:
        """Begin with no files."""
        self._latest: dict[str, Row] = {}

    def add(self, row: Row) -> None:
        """Take a measurement into account."""
        name = row.fields["file"]
        if name not in self._latest or self._latest[name].at <= row.at:
            self._latest[name] = row

    def summary(self, title: str) -> Summary:
        """Return a line for each file, by name, and one for all."""
        counts = {name: (int(row.fields["lines"]), int(row.fields["covered"])) for name, row in self._latest.items()}
        shown = [(harmless(name), *counts[name]) for name in sorted(counts)]
        shown.append(("all", sum(one for _, one, _ in shown), sum(one for _, _, one in shown)))
        rows = tuple((name, str(lines), str(covered), _percent(covered, lines)) for name, lines, covered in shown)
        bars = tuple((name, float(percent)) for name, _, _, percent in rows)
        return Summary(title=title, columns=("file", "lines", "covered", "covered %"), rows=rows, bars=bars)


class SecurityTally:
    """Findings of a scan by severity. Fields: severity, package, finding."""

    fields = ("severity", "package", "finding")

    def __init__(self) -> None:
        """Begin with no findings."""
        self._findings: Counter[str] = Counter()
        self._packages: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, row: Row) -> None:
        """Take a finding into account."""
        severity = row.fields["severity"].lower()
        self._findings[severity] += 1
        self._packages[severity].add(row.fields["package"])

    def summary(self, title: str) -> Summary:
        """Return a line for each severity, the worst first; what is none of the known ones comes last."""
        known = [*SEVERITIES, *sorted(set(self._findings) - set(SEVERITIES))]
        rows = tuple((harmless(one), str(self._findings[one]), str(len(self._packages[one]))) for one in known)
        bars = tuple((one, float(self._findings[one])) for one in known)
        return Summary(title=title, columns=("severity", "findings", "packages"), rows=rows, bars=bars)


class AnalyticsTally:
    """What users did: how often, and how many of them. Fields: event, user."""

    fields = ("event", "user")

    def __init__(self) -> None:
        """Begin with no events."""
        self._events: Counter[str] = Counter()
        self._users: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, row: Row) -> None:
        """Take an event into account."""
        event = row.fields["event"]
        self._events[event] += 1
        self._users[event].add(row.fields["user"])

    def summary(self, title: str) -> Summary:
        """Return a line for each kind of event, the most frequent first."""
        rows = tuple(
            (harmless(one), str(times), str(len(self._users[one]))) for one, times in self._events.most_common()
        )
        return Summary(title=title, columns=("event", "times", "users"), rows=rows, bars=_bars(self._events))


class AuditTally:
    """Who did what to what: every entry, in order. Fields: actor, action, target."""

    fields = ("actor", "action", "target")

    def __init__(self) -> None:
        """Begin with no entries."""
        self._rows: list[tuple[str, ...]] = []
        self._actions: Counter[str] = Counter()
        self._size = Lines(self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's head."""
        return ("at", *self.fields)

    def add(self, row: Row) -> None:
        """Take an entry into account; raises `ReportTooLargeError` where they get too many."""
        cells = (row.at.isoformat(), *(harmless(row.fields[name]) for name in self.fields))
        self._size.append([cells])
        self._rows.append(cells)
        self._actions[row.fields["action"]] += 1

    def summary(self, title: str) -> Summary:
        """Return every entry."""
        return Summary(title=title, columns=self.columns, rows=tuple(self._rows), bars=_bars(self._actions))


def _bars(counted: Counter[str]) -> tuple[tuple[str, float], ...]:
    return tuple((name, float(number)) for name, number in counted.most_common())


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "0.0"
