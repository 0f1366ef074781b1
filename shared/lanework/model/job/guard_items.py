"""What the guards of enqueueing remember between jobs: a small item for each quota and each key of unique work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from lanework.model.limits import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.model.limits import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardItem:
    """
    What one guard remembers.

    Attributes:
        name: `limit#…` of a quota, `unique#…` or `debounce#…` of a job type and its key's value, which is digested.
        job_id: The job that wrote it last. Whoever writes it next requires that this is still so; an id is used once,
            so nothing can have come in between.
        until: From when it means nothing any more.
        window: What a quota has accepted of late; None for unique work.
    """

    name: str
    job_id: str
    until: datetime
    window: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardWrite:
    """A mark to write, if that of the job `after` is still there, as it was read; None where there was none."""

    mark: GuardItem
    after: str | None


def quota_mark(bound: str, per: timedelta) -> str:
    """Return the name of a quota's mark. The window's length is part of it: buckets of two lengths don't add up."""
    return f"limit#{bound}:{per // timedelta(milliseconds=1)}ms"


def unique_mark(job_type: str, key: Sequence[object]) -> str:
    """Return the name of the mark of a job type's unique work with this key."""
    return f"unique#{job_type}#{_digest_of_all(key)}"


def debounce_mark(job_type: str, key: Sequence[object]) -> str:
    """Return the name of the mark of a job type's debounced work with this key."""
    return f"debounce#{job_type}#{_digest_of_all(key)}"


def _digest_of_all(key: Sequence[object]) -> str:
    """Return what stands for a key's values, as JSON: the text `1` is another key than the number."""
    return digest_of(json.dumps(key, ensure_ascii=False, sort_keys=True))
