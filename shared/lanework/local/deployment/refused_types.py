"""Leaves out of a template the resources whose types make the emulator's CloudFormation refuse all of it."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection

_REFUSED: Final = re.compile(r"Unrecognized resource types: \[([^\]]{1,1000})\]")


_WITHOUT_EMULATION: Final = (
    *("ApplicationAutoScaling::", "ApplicationInsights::", "ApplicationSignals::", "APS::", "Budgets::", "CE::"),
    *("Chatbot::", "CloudTrail::", "CloudWatch::AnomalyDetector", "CloudWatch::CompositeAlarm"),
    *("CloudWatch::InsightRule", "CloudWatch::MetricStream", "CodeDeploy::", "Config::", "DevOpsGuru::", "FIS::"),
    *("Grafana::", "GuardDuty::", "InternetMonitor::", "Logs::Delivery", "Logs::QueryDefinition", "Notifications::"),
    *("NotificationsContacts::", "Oam::", "ResilienceHub::", "ResourceGroups::", "RUM::", "SecurityHub::"),
    *("ServiceCatalogAppRegistry::", "SSMContacts::", "SSMIncidents::", "Synthetics::", "XRay::"),
)
"""How types begin that jobs do without, and that MiniStack 1.5.33 doesn't have. A misspelt type is none of them."""


def refused_types(message: str) -> frozenset[str]:
    """Return the types that a refusal names; none if it names one that isn't AWS's, or that jobs may need."""
    found = _REFUSED.search(message)
    types = [] if found is None else [one.strip() for one in found[1].split(",")]
    can_be_left = all(one.removeprefix("AWS::").startswith(_WITHOUT_EMULATION) for one in types)
    return frozenset(types if can_be_left else ())


def without_types(template: dict[str, Any], types: Collection[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """
    Return a copy without the resources of these types, and what was left out: its type by its logical id.

    Outputs that name one go with it, and so does what waits for one (DependsOn). What else names one is refused by
    CloudFormation, which says so.
    """
    less = copy.deepcopy(template)
    resources = less["Resources"]
    left_out = {name: one["Type"] for name, one in resources.items() if one.get("Type") in types}
    less["Resources"] = {
        name: _without_waiting(one, left_out) for name, one in resources.items() if name not in left_out
    }
    outputs = {name: one for name, one in less.get("Outputs", {}).items() if not _names(one, left_out)}
    return {**less, **({"Outputs": outputs} if outputs else {})}, left_out


def _without_waiting(resource: dict[str, Any], left_out: Collection[str]) -> dict[str, Any]:
    waits_for = resource.get("DependsOn", [])
    kept = [one for one in ([waits_for] if isinstance(waits_for, str) else waits_for) if one not in left_out]
    rest = {key: value for key, value in resource.items() if key != "DependsOn"}
    return {**rest, **({"DependsOn": kept} if kept else {})}


def _names(output: Any, left_out: Collection[str]) -> bool:  # noqa: ANN401 - CloudFormation's
    text = json.dumps(output, default=str)
    return any(re.search(rf'["{{]{re.escape(name)}[."}}]', text) for name in left_out)
