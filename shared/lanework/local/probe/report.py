"""What a run found, as Markdown for people and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lanework.local.probe.table import behaviours

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from lanework.local.probe.run import Finding

_VERDICTS: Final = {True: "holds", False: "differs", None: "not looked at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What a run found.

    Attributes:
        where: The account and region, or the endpoint.
        at: When the run began.
        versions: Of what ran it, by name.
        findings: One for each line, in the table's order.
        calls: How many calls it made.
        left: What could not be deleted, by name, with the reason.
    """

    where: str
    at: datetime
    versions: dict[str, str]
    findings: Sequence[Finding]
    calls: int
    left: dict[str, str]

    def write(self, path: Path) -> tuple[Path, Path]:
        """Write the report to files of this name, one as Markdown, one as JSON; return where."""
        markdown, program = path.with_name(f"{path.name}.md"), path.with_name(f"{path.name}.json")
        markdown.write_text(self.as_markdown(), encoding="utf-8")
        program.write_text(f"{json.dumps(self.as_json(), indent=1, ensure_ascii=False)}\n", encoding="utf-8")
        return markdown, program

    def as_json(self) -> dict[str, Any]:
        """Return all of it."""
        lines = [
            {
                "line": one.line,
                "documented": behaviours()[one.line].says,
                "page": behaviours()[one.line].page,
                "observed": one.seen,
                "verdict": _VERDICTS[one.holds],
            }
            for one in self.findings
        ]
        about = {"where": self.where, "at": self.at.isoformat(timespec="seconds"), "versions": self.versions}
        return {**about, "calls": self.calls, "left": self.left, "lines": lines}

    def as_markdown(self) -> str:
        """Return a page: what differs first."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        differing = [one for one in self.findings if one.holds is False]
        return "\n".join(
            [
                f"# What AWS documents, looked at in {self.where}",
                "",
                f"{self.at:%Y-%m-%d %H:%M} UTC, {versions}, {self.calls:,} calls. {self.summary()}.",
                "",
                *(["## What differs", "", *_rows(differing), ""] if differing else []),
                *(
                    ["## What was not deleted", "", *(f"- {name}: {why}" for name, why in self.left.items()), ""]
                    * bool(self.left)
                ),
                "## All lines",
                "",
                *_rows(self.findings),
                "",
            ]
        )

    def summary(self) -> str:
        """Return how many lines hold, differ, and were not looked at."""
        verdicts = [one.holds for one in self.findings]
        counts = {"as documented": True, "not": False, "not looked at": None}
        return ", ".join(f"{verdicts.count(one)} {name}" for name, one in counts.items() if one in verdicts)


def _rows(findings: Iterable[Finding]) -> list[str]:
    rows = ["| line | documented | observed | |", "| --- | --- | --- | --- |"]
    for one in findings:
        line = behaviours()[one.line]
        cells = (one.line, f"[{_cell(line.says)}]({line.page})", _cell(one.seen), _VERDICTS[one.holds])
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "\\<")
