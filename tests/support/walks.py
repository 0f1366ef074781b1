"""The walks of CONTRIBUTING.md: which functions a call enters, by one rule for all of them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import lanework

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_PACKAGE: Final = Path(lanework.__file__).parent
_CONTRIBUTING: Final = Path(__file__).parents[2] / "CONTRIBUTING.md"
_STEP: Final = re.compile(r"^\d+\. `(\S+)` `(\S+)`", re.MULTILINE)

_BEHIND_PORTS: Final = ("engine/ports/", "memory/", "aws/ledger/", "aws/lanes.py", "observe/", "testing.py")
_NOT_NOTED: Final = (
    "model/",
    "errors/",
    "http/auth/",
    "http/forms.py",
    "http/dashboard/rendering.py",
    "http/dashboard/words.py",
    "edges/alarm.py",
)


def written(heading: str) -> list[tuple[str, str]]:
    """Return the steps of a walk as CONTRIBUTING.md has them: file below lanework/, and function."""
    section = _CONTRIBUTING.read_text().partition(f"\n### {heading}\n")[2].partition("\n#")[0]
    return _STEP.findall(section)


def walked(call: Callable[[], object], *, start: str) -> list[tuple[str, str]]:
    """
    Return the functions of Lanework that a call enters, each where it is entered first, from one on.

    Not among them are constructors, properties and comprehensions; private functions, which stand in the file of the
    step that calls them; the pure rules of model/; what every page does before and after its own method; what is behind
    a port, but for the method by which an adapter of AWS is entered.
    """
    walk = _Walk(start)
    sys.setprofile(walk)
    try:
        call()
    finally:
        sys.setprofile(None)
    return walk.entered


class _Walk:
    def __init__(self, start: str) -> None:
        self._start = start
        self.entered: list[tuple[str, str]] = []

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        file = _file_of(frame)
        if event != "call" or not file or file.startswith(_NOT_NOTED) or _is_detail(frame) or not self._is_part(frame):
            return
        step = (file, frame.f_code.co_qualname.rpartition("<locals>.")[2])
        if step not in self.entered:
            self.entered.append(step)

    def _is_part(self, frame: FrameType) -> bool:
        """Tell whether the walk has begun, and doesn't stand behind a port; the way into AWS is a step."""
        caller = frame.f_back if _file_of(frame).startswith("aws/") else frame
        while caller is not None and not _file_of(caller).startswith(_BEHIND_PORTS):
            if caller.f_code.co_qualname.rpartition("<locals>.")[2] == self._start:
                return True
            caller = caller.f_back
        return False


def _is_detail(frame: FrameType) -> bool:
    name = frame.f_code.co_name
    owner = type(frame.f_locals.get("self"))
    return name.startswith(("<", "__")) or _is_private(frame) or isinstance(getattr(owner, name, None), property)


def _is_private(frame: FrameType) -> bool:
    return frame.f_code.co_qualname.startswith("_") and "." not in frame.f_code.co_qualname


def _file_of(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return path.relative_to(_PACKAGE).as_posix() if path.is_relative_to(_PACKAGE) else ""
