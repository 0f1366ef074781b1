"""What is wrong with the values that samconfig.toml's environments give to the template's parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lanework.doctor.case import Finding, examine
from lanework.doctor.intrinsics import Resolver
from lanework.doctor.rules import RULES
from lanework.errors import ConfigError, did_you_mean
from lanework.local.deployment.parameter_values import check_value
from lanework.local.deployment.sam_transform import translate
from lanework.local.deployment.samconfig import FILE, deployed_parameters
from lanework.local.deployment.settled import broken_rules
from lanework.local.doctor_input import case_of
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lanework.doctor.case import Code


def examine_template(template: dict[str, Any], code: Code | None, folder: Path) -> list[Finding]:
    """
    Return what is wrong with a template as it is, and with what each environment of samconfig.toml makes of it.

    Raises:
        StackError: The SAM transform refuses the template.
        ConfigError: samconfig.toml can't be read.
    """
    translated = translate(template)
    found = examine(case_of(translated, code), RULES)
    for environment, given in deployed_parameters(folder).items():
        about = f"[{environment}.deploy.parameters]"
        refused = [*_unknown(translated, given, about), *_refused(translated, given, about)]
        others = () if refused else examine(case_of(translated, code, parameters=given), RULES)
        known = {(one.rule, one.about) for one in found}
        new = [replace(one, about=f"{about} {one.about}") for one in others if (one.rule, one.about) not in known]
        found = [*found, *refused, *new]
    return found


def _unknown(template: dict[str, Any], given: Mapping[str, str], about: str) -> Iterator[Finding]:
    """Yield values for parameters that the template doesn't have."""
    declared = template.get("Parameters", {})
    for name in given.keys() - declared.keys():
        of = next((one for one in Lane if name.startswith(one.title())), None)
        if of is None or f"{of.title()}Queue" in template["Resources"]:  # else it waits for its lane to come back
            what = f"template.yaml has no parameter {name!r}{did_you_mean(name, declared)}"
            yield _finding(about, what, "sam deploy drops it without a word")


def _refused(template: dict[str, Any], given: Mapping[str, str], about: str) -> Iterator[Finding]:
    """Yield what CloudFormation would say against the values of an environment."""
    declared = template.get("Parameters", {})
    refused = list(broken_rules(template, Resolver(template, parameters=given, pseudo={}), declared))
    for name in given.keys() & declared.keys():
        try:
            check_value(name, given[name], declared[name])
        except ConfigError as error:
            refused.append(str(error))
    for what in refused:
        yield _finding(about, what, "CloudFormation refuses the deployment")


def _finding(about: str, what: str, why: str) -> Finding:
    return Finding(rule="samconfig", about=about, what=what, why=why, todo=f"change its parameter_overrides in {FILE}")
