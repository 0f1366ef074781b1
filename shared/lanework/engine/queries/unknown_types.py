"""Jobs whose type no code here has: they wait for a deployment, or died of it."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

from lanework.engine.queries.recent import LONGEST_PAGE, recent_pages
from lanework.model.lifecycle.states import ENDED, Cause, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports

LOOKED_AT: Final = 500
"""Most jobs that are read, the newest."""


def unknown_types(ports: Ports, registry: Registry) -> Mapping[str, int]:
    """Return the unknown types among the newest 500 jobs, and how many of each wait, or died of being unknown."""
    found: Counter[str] = Counter()
    for page in islice(recent_pages(ports), LOOKED_AT // LONGEST_PAGE):
        for record in page.jobs:
            died_of_it = record.state is State.DEAD and record.cause is Cause.UNKNOWN_TYPE
            if registry.find(record.type) is None and (record.state not in ENDED or died_of_it):
                found[record.type] += 1
    return found
