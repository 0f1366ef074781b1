"""What goes along with a job beside its payload: short words, for correlation ids and trace contexts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lanework.errors import InvalidOptionError, is_a, shown

Headers = tuple[tuple[str, str], ...]
"""Names and values, by name."""

CORRELATION: Final = "correlation-id"

MOST_BYTES: Final = 1024
"""Names and values together. They are part of the job's own item, and every write of it pays for them."""

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_VALUE: Final = re.compile(r"[ -~]+")


def with_headers(headers: Headers, more: Mapping[str, str]) -> Headers:
    """Return headers with more of them, those of the same name replaced; InvalidOptionError if one can't be used."""
    if not is_a(more, Mapping):
        msg = f"headers must be a mapping of names to values, got {shown(more)}"
        raise InvalidOptionError(msg)
    for name, value in more.items():
        if not (is_a(name, str) and _NAME.fullmatch(name)):
            rule = "lower-case letters, digits and -, at most 64, such as 'traceparent'"
            msg = f"header {shown(name)} can't be used: {rule}"
            raise InvalidOptionError(msg)
        if not (is_a(value, str) and _VALUE.fullmatch(value)):
            msg = f"the value of header {shown(name)} can't be used: one printable ASCII character or more"
            raise InvalidOptionError(msg)
    together = {**dict(headers), **more}
    size = _size(together)
    if size > MOST_BYTES:
        msg = f"the headers are {size:,} bytes together, over the limit of {MOST_BYTES:,}: data belongs in the payload"
        raise InvalidOptionError(msg)
    return tuple(sorted(together.items()))


def inherited(headers: Headers, parent: Mapping[str, str]) -> Headers:
    """Return a job's headers with those of the job that enqueues it, as far as they fit; the correlation id first."""
    together = dict(headers)
    for name in sorted(parent, key=lambda one: (one != CORRELATION, one)):
        if name not in together and _size(together) + len(name) + len(parent[name]) <= MOST_BYTES:
            together[name] = parent[name]
    return tuple(sorted(together.items()))


def _size(headers: Mapping[str, str]) -> int:
    return sum(len(name) + len(value) for name, value in headers.items())


def correlation_of(headers: Headers) -> str | None:
    """Return the correlation id that a job was given; None for one that stands for itself."""
    return dict(headers).get(CORRELATION)
