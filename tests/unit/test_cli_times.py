"""Every time that the command prints says its zone."""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from lanework import cli
from lanework.cli.param_types import moment
from lanework.cli.times import local, stamp, time_of_day
from lanework.testing import NOON

ELSEWHERE = NOON.astimezone(timezone(timedelta(hours=8)))


def test_a_moment_is_told_in_utc_and_can_be_given_back() -> None:
    assert ["2026-01-02 12:00:00Z"] * 2 == [stamp(NOON), stamp(ELSEWHERE)]
    assert moment("2026-01-02 12:00:00Z") == NOON
    assert stamp(None) is None


def test_a_time_of_day_is_told_in_utc() -> None:
    assert ["12:00:00Z"] * 2 == [time_of_day(NOON), time_of_day(ELSEWHERE)]


def test_a_schedule_s_time_is_told_with_its_zone() -> None:
    assert local(NOON, ZoneInfo("Asia/Ulaanbaatar")) == "2026-01-02 20:00 +08"


def test_no_command_prints_a_time_without_its_zone() -> None:
    without_zone = re.compile(r"%H:%M(?::%S)?(?!:%S|Z| %Z).*")
    (folder,) = map(Path, cli.__path__)

    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.py")}

    assert "times.py" in texts
    assert {} == {name: found for name, text in texts.items() if (found := without_zone.findall(text))}
