"""What the command's exit codes say: named here, and nowhere else."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from lanework.edges.process.interpreter import FAULT
from lanework.errors import InvalidOptionError, InvalidPayloadError, TooLargeError, UnknownNameError

if TYPE_CHECKING:
    from lanework.errors import LaneworkError


class Exit(IntEnum):
    """What the command's exit code says. `FAULT` is that of a worker's process that had a fault of its own."""

    OK = 0
    FAILED = 1
    USAGE = 2
    FAULT = FAULT
    INTERRUPTED = 130


EPILOG: Final = "Exit codes: 0 done, 1 failed (the reason is on stderr), 2 wrong usage, 130 interrupted."

_WRONG_USAGE: Final = (InvalidOptionError, InvalidPayloadError, TooLargeError, UnknownNameError)
"""What another command line mends; the message says which. All else is a failure, or nothing there."""


def exit_of(error: LaneworkError) -> Exit:
    """Return which exit code an error means."""
    return Exit.USAGE if isinstance(error, _WRONG_USAGE) else Exit.FAILED
