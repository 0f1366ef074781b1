"""The schedules in a template: a block of the clock's events below a comment, which Lanework writes and renews."""

from __future__ import annotations

import re
from typing import Final

from lanework.errors import ConfigError

_MARK: Final = "        # What job types declare, as `lanework check --write` writes it.\n"

_CLOCK: Final = re.compile(
    r"^        Tick:\n(?:          .*\n)+"
    r"(?P<block>(?P<mark>        # What job types declare.*\n)(?P<events>(?:        .*\n)*))?",
    re.MULTILINE,
)
"""The clock's tick, and what stands below the comment."""


def schedules_in(text: str) -> str:
    """Return the events below the comment about them, as YAML; empty if there are none."""
    clock = _CLOCK.search(text)
    return "" if clock is None else clock["events"] or ""


def with_schedules(text: str, events: str) -> str:
    """
    Return a template with other events below the comment about them.

    Args:
        text: The template.
        events: YAML, indented as the clock's tick is; empty: none.

    Raises:
        ConfigError: The clock has no event `Tick` where Lanework writes it.
    """
    clock = _CLOCK.search(text)
    if clock is None:
        msg = "schedules are written below the event Tick of the function Clock, and template.yaml has none"
        raise ConfigError(msg)
    begin, end = clock.span("block") if clock["block"] else (clock.end(), clock.end())
    mark = (clock["mark"] or _MARK) if events else ""
    return f"{text[:begin]}{mark}{events}{text[end:]}"
