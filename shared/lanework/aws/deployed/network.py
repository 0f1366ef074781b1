"""Looks at the subnets that a live stack's functions are in: zones, routes, endpoints of their VPCs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.doctor.network import subnet_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanework.aws.deployed.stack import Look
    from lanework.doctor.network import Subnet


def subnets_of(ids: Iterable[str], look: Look) -> dict[str, Subnet]:
    """
    Return subnets by id; none of what may not be looked at.

    Raises:
        UnavailableError: AWS doesn't answer.
    """
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    answer = look.at("VpcConfig", "ec2", "describe_subnets", SubnetIds=wanted)
    if answer is None:
        return {}
    subnets = answer["Subnets"]
    within: Any = [{"Name": "vpc-id", "Values": sorted({one["VpcId"] for one in subnets})}]
    tables = look.at("VpcConfig", "ec2", "describe_route_tables", Filters=within)
    endpoints = look.at("VpcConfig", "ec2", "describe_vpc_endpoints", Filters=within)
    if tables is None or endpoints is None:
        return {}
    ready = [one for one in endpoints["VpcEndpoints"] if str(one.get("State")).lower() == "available"]
    return {one["SubnetId"]: subnet_of(one, tables["RouteTables"], ready) for one in subnets}
