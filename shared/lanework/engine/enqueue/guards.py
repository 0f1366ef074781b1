"""What a job must pass on its way in: the quotas it counts against, and the key that makes it the same as another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lanework.model.job.guard_items import debounce_mark, quota_mark, unique_mark
from lanework.model.limits import TENANT, Quota

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from lanework.engine.jobtypes.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """
    A quota that a job counts against.

    Attributes:
        name: The quota's, as errors and logs say it.
        mark: Name of the mark that holds its window.
        quota: The quota.
    """

    name: str
    mark: str
    quota: Quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """
    The key of unique work.

    Attributes:
        mark: Name of the mark that holds the key's job.
        window: For how long.
        keeps_last: The last job of the window runs (`debounce`), not the first (`unique_for`).
    """

    mark: str
    window: timedelta
    keeps_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """
    The guards of one job; at least one quota or a key.

    Attributes:
        quotas: Its family's, then its type's.
        keyed: Its key, if it is unique work.
    """

    quotas: tuple[Counted, ...]
    keyed: Keyed | None

    @property
    def marks(self) -> list[str]:
        """The names of their marks, each once."""
        keyed = [] if self.keyed is None else [self.keyed.mark]
        return [*keyed, *(counted.mark for counted in self.quotas)]


def guards_of(request: Request) -> Guards | None:
    """Return what a job must pass, or None if nothing."""
    declared = [(bound, bound.limit) for bound in request.type.bounds if isinstance(bound.limit, Quota)]
    if not declared and request.unique_for is None and request.debounce is None:
        return None
    payload: Mapping[str, object] = request.payload.model_dump(mode="json", by_alias=False)
    quotas: dict[str, Counted] = {}
    for bound, quota in declared:
        name = bound.name_for(payload, request.tenant)
        counted = Counted(name=name, mark=quota_mark(name, quota.per), quota=quota)
        # Two of one length and key share their window, and the stricter one says what fits into it.
        stricter = quotas.get(counted.mark, counted)
        quotas[counted.mark] = min(stricter, counted, key=lambda one: one.quota.n)
    return Guards(quotas=tuple(quotas.values()), keyed=_keyed(request, payload))


def _keyed(request: Request, payload: Mapping[str, object]) -> Keyed | None:
    key = [request.tenant if name == TENANT else payload.get(name) for name in request.type.key]
    if request.unique_for is not None:
        mark = unique_mark(request.type.name, key)
        return Keyed(mark=mark, window=request.unique_for, keeps_last=False)
    if request.debounce is not None:
        mark = debounce_mark(request.type.name, key)
        return Keyed(mark=mark, window=request.debounce, keeps_last=True)
    return None
