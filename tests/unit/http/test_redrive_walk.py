"""The walk of CONTRIBUTING.md through a redrive from the dashboard is what happens, function by function."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import lanework
from lanework import State
from lanework.model.lanes import Lane
from tests.support.browsers import csrf_of, logged_in
from tests.support.gateway import FORM
from tests.unit.docs.pages import text_of

if TYPE_CHECKING:
    from types import FrameType

    from tests.support.http_shop import Shop

MOST: Final = 25

_PACKAGE: Final = Path(lanework.__file__).parent
_OF_EVERY_PAGE: Final = ("http/auth/", "http/forms.py", "http/dashboard/rendering.py", "http/dashboard/words.py")
_PORTS: Final = ("engine/ports/", "memory/", "observe/", "testing.py")


class Walk:
    """
    Notes which functions of Lanework are entered from one on, each once, in order.

    What every page reads its form and writes its texts and cookies with isn't noted, nor are comprehensions, ports, and
    what is behind a port.
    """

    def __init__(self, start: str) -> None:
        self._start = start
        self.entered: list[tuple[str, str]] = []

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or not self._is_part(frame):
            return
        step = (_file_of(frame), frame.f_code.co_qualname.rpartition("<locals>.")[2])
        if step not in self.entered and not frame.f_code.co_name.startswith("<"):
            self.entered.append(step)

    def _is_part(self, frame: FrameType) -> bool:
        if not _file_of(frame) or _file_of(frame).startswith(_OF_EVERY_PAGE):
            return False
        caller: FrameType | None = frame
        while caller is not None and not _file_of(caller).startswith(_PORTS):
            if caller.f_code.co_name == self._start:
                return True
            caller = caller.f_back
        return False


def _file_of(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return path.relative_to(_PACKAGE).as_posix() if path.is_relative_to(_PACKAGE) else ""


def test_a_redrive_from_the_dashboard_goes_as_it_is_written_down_in_25_calls(shop: Shop) -> None:
    shop.kill("dead-1")
    browser = logged_in(shop.api)
    form = urlencode({"csrf": csrf_of(browser), "job": "dead-1"}).encode()
    assert browser.get("/dead").status == 200  # what is made at the first use is there
    walk = Walk("redrive_many")

    sys.setprofile(walk)
    try:
        answer = browser.send("POST", "/dead/redrive", form, FORM)
    finally:
        sys.setprofile(None)

    assert (answer.status, shop.stored("dead-1").state) == (303, State.QUEUED)
    assert shop.app.ports.lanes.counts(Lane.HIGH).waiting == 1
    told = text_of("CONTRIBUTING.md").partition("### A redrive from the dashboard\n")[2].partition("\n#")[0]
    assert re.findall(r"^\d+\. `(\S+)` `(\S+)`", told, re.MULTILINE) == walk.entered
    assert len(walk.entered) <= MOST
