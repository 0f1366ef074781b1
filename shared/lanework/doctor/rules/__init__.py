"""The doctor's rules, in the order of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.doctor.rules import (
    access,
    api,
    capacity,
    deployed,
    deployments,
    lanes,
    network,
    permissions,
    schedules,
    watching,
)

if TYPE_CHECKING:
    from lanework.doctor.case import Rule

RULES: Final[tuple[Rule, ...]] = (
    *lanes.RULES,
    *capacity.RULES,
    *schedules.RULES,
    *permissions.RULES,
    *network.RULES,
    *access.RULES,
    *api.RULES,
    *deployments.RULES,
    *watching.RULES,
    *deployed.RULES,
)
