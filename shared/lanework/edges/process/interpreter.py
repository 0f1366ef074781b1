"""
Calls a function in an interpreter of its own, which has loaded nothing of what this one has.

Such an interpreter runs this file as a script. So it imports the standard library alone.
"""

from __future__ import annotations

import os
import pickle
import sys
from importlib import import_module
from subprocess import DEVNULL, Popen, _args_from_interpreter_flags  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Collection

FAULT: Final = 70
"""The exit code of a process that had a fault of its own."""

_ME: Final = __file__


def become(function: str, *arguments: Any) -> NoReturn:  # noqa: ANN401 - the function's own
    """
    Call a function in this process, and nothing after it; of this interpreter only the environment stays.

    Args:
        function: As `module:name`.
        arguments: What can be pickled.
    """
    number = _handed_over(arguments)
    os.set_inheritable(number, True)  # noqa: FBT003 - its only form
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, _command(number, function))  # noqa: S606 - our own


def start(function: str, *arguments: Any, files: Collection[int] = ()) -> Popen[bytes]:  # noqa: ANN401 - as above
    """Call a function as in `become`, in another process that has these open files under the same numbers."""
    number = _handed_over(arguments)
    try:
        return Popen(_command(number, function), stdin=DEVNULL, pass_fds=(number, *files))  # noqa: S603 - our own
    finally:
        os.close(number)


def end(code: int) -> NoReturn:
    """End this process at once."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def nameless_file(size: int = 0) -> int:
    """Return a new file of so many bytes, all 0: in memory, or where that can't be, gone with its last user."""
    if sys.platform == "linux":
        number = os.memfd_create("lanework")
    else:
        from tempfile import TemporaryFile  # noqa: PLC0415 - for other systems

        with TemporaryFile() as file:
            number = os.dup(file.fileno())
    os.ftruncate(number, size)
    return number


def _handed_over(arguments: tuple[Any, ...]) -> int:
    number = nameless_file()
    with open(number, "wb", closefd=False) as file:
        pickle.dump((sys.path, sys.argv, pickle.dumps(arguments)), file)
    return number


def _command(number: int, function: str) -> list[str]:
    """Return the command line: what comes last is for who looks at a list of processes."""
    shown = [sys.argv[0].rpartition("/")[2], *sys.argv[1:]]
    return [sys.executable, *_args_from_interpreter_flags(), _ME, str(number), function, *shown]


def _call() -> None:
    number, function = int(sys.argv[1]), sys.argv[2]
    with open(number, "rb") as file:
        file.seek(0)
        sys.path[:], sys.argv[:], arguments = pickle.load(file)  # noqa: S301 - what `_handed_over` wrote
    module, _, name = function.partition(":")
    getattr(import_module(module), name)(*pickle.loads(arguments))  # noqa: S301 - as above


if __name__ == "__main__":
    _call()
