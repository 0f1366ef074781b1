"""Runs probes, several at once, and deletes all that they made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lanework.local.probe import dynamodb, events, functions, mappings, sqs
from lanework.local.probe.lab import DiffersError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lanework.local.probe.lab import Lab

LONGEST: Final = ("scheduler_fires", "cloudformation", "mapping_")
"""Probes that wait, which begin first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    What was seen for a line of the table.

    Attributes:
        holds: It is as AWS documents it; None: it was not looked at, since the run was stopped.
        seen: What was seen, in a few words.
    """

    line: str
    holds: bool | None
    seen: str


def probe_of(line: str) -> Callable[[Lab], str]:
    """Return a line's probe, which has its name."""
    modules = {"sqs": sqs, "dynamodb": dynamodb, "lambda": functions, "mapping": mappings, "cloudformation": functions}
    probe: Callable[[Lab], str] = getattr(modules.get(line.partition("_")[0], events), line)
    return probe


def run(lab: Lab, lines: Sequence[str], *, report: Callable[[Finding], object]) -> None:
    """
    Probe lines of the table, and delete what was made: also after Ctrl-C, which ends the run.

    Args:
        lines: Their ids.
        report: Is given each finding when it is there.
    """

    def look(line: str) -> None:
        report(_look(lab, line))

    pool = ThreadPoolExecutor(lab.pace.at_once)
    try:
        for one in [pool.submit(look, line) for line in _in_order(lines)]:
            one.result()
    finally:
        lab.stop()
        pool.shutdown(cancel_futures=True)
        lab.delete_all()


def not_looked_at(line: str) -> Finding:
    """Return what is said of a line that a run didn't come to."""
    return Finding(line=line, holds=None, seen="the run ended before")


def _in_order(lines: Iterable[str]) -> list[str]:
    return sorted(lines, key=lambda line: not line.startswith(LONGEST))


def _look(lab: Lab, line: str) -> Finding:
    try:
        seen = probe_of(line)(lab)
    except DiffersError as error:
        return Finding(line=line, holds=False, seen=str(error))
    except StoppedError as error:
        return Finding(line=line, holds=None, seen=str(error))
    except ClientError as error:
        return Finding(line=line, holds=False, seen=f"no such thing: {error.response['Error'].get('Code', 'error')}")
    except (BotoCoreError, ResponseParserError) as error:
        return Finding(line=line, holds=False, seen=f"no such thing: {type(error).__name__}")
    return Finding(line=line, holds=True, seen=seen)
