"""Where an exception was raised, for a job's log. Names and lines of code only: no value of a variable is in it."""

from __future__ import annotations

from traceback import extract_tb
from typing import Final

from lanework.model.outcomes import RetryAfter

MOST_FRAMES: Final = 12
"""The innermost frames that are told; a deeper stack is one that goes round in circles."""


def stack_of(error: BaseException) -> str | None:
    """Return where an exception comes from, the innermost call last; None if the job's own code has raised nothing."""
    if isinstance(error, RetryAfter):  # it was asked for, and says why itself
        return None
    frames = [frame for frame in extract_tb(error.__traceback__) if "/lanework/engine/" not in frame.filename]
    if not frames:
        return None
    told = [f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames[-MOST_FRAMES:]]
    return "\n".join((f"{type(error).__name__} at", *told))
