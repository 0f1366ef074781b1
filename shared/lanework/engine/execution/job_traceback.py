"""Where an exception was raised, for a job's log. Names and lines of code only: no value of a variable is in it."""

from __future__ import annotations

from traceback import extract_tb
from typing import Final

from lanework.model.job.error_text import fault_of, traceback_of
from lanework.model.job.job_exceptions import RetryAfter

MOST_FRAMES: Final = 12
"""The innermost frames that are kept; a deeper stack is an endless recursion."""

_MOST_READ: Final = 3 * MOST_FRAMES


def stack_of(error: BaseException) -> str | None:
    """
    Return where an exception comes from, the innermost call last; None if the job's own code has raised nothing.

    What led to it stands under it, so that a long text leaves room for all of it here.
    """
    if issubclass(type(error), RetryAfter):  # it was asked for, and says why itself
        return None
    frames = [
        frame
        for frame in extract_tb(traceback_of(error), limit=-_MOST_READ)
        if "/lanework/engine/" not in frame.filename
    ]
    if not frames:
        return None
    fault = fault_of(error)
    lines = [f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames[-MOST_FRAMES:]]
    return "\n".join((f"{fault.type} at", *lines, *fault.trail))
