"""A worker's log lines, for a developer's eyes."""

from __future__ import annotations

import json
from typing import Final

_SHOWN_FIRST: Final = ("action", "job_type", "job_id")
_LEFT_OUT: Final = frozenset({*_SHOWN_FIRST, "level", "message", "timestamp", "service", "queue", "lane"})


def readable(line: str) -> str:
    """Return one of Lanework's own structured lines as `action type id field=value …`; any other line as it is."""
    text = line.rstrip()
    try:
        fields = json.loads(text)
    except ValueError:
        return text
    if not isinstance(fields, dict) or "action" not in fields:
        return text
    first = "  ".join(str(fields[name]) for name in _SHOWN_FIRST if name in fields)
    rest = " ".join(f"{name}={value}" for name, value in fields.items() if name not in _LEFT_OUT)
    return f"{first}  {rest}".rstrip()
