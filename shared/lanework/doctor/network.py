"""Where functions are in a VPC, and what they reach from there; routes and endpoints in the form of EC2's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INTERFACES: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
"""What a function's role must allow Lambda in a VPC (docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html)."""

ACCESS_POLICY: Final = "AWSLambdaVPCAccessExecutionRole"
"""AWS's own policy that allows these, and to write any log."""

_WAYS_OUT: Final = frozenset({"NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId", "CoreNetworkArn"})
"""Targets of a default route that lead out. An internet gateway does not: a function has no public address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Where a function is in a VPC: ids, sorted, since their order means nothing; one of the two may be missing."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """
    A subnet that functions are in.

    Attributes:
        zone: Its availability zone; None: not known.
        leads_out: Whether its default route leads to a NAT or transit gateway, or the like.
        endpoints: Services that it reaches by endpoints of its VPC, such as `sqs`.
    """

    zone: str | None
    leads_out: bool
    endpoints: frozenset[str]


def network_of(config: Mapping[str, Any]) -> Network | None:
    """Return where a function's VpcConfig puts it; None: in no VPC, which Lambda also says with empty lists."""
    subnets, groups = (sorted(map(str, config.get(key) or ())) for key in ("SubnetIds", "SecurityGroupIds"))
    return Network(subnets=tuple(subnets), security_groups=tuple(groups)) if subnets or groups else None


def subnet_of(
    has: Mapping[str, Any], tables: Iterable[Mapping[str, Any]], endpoints: Iterable[Mapping[str, Any]]
) -> Subnet:
    """
    Return what a subnet reaches.

    Args:
        has: Its SubnetId, VpcId and AvailabilityZone.
        tables: Route tables, of its VPC and others, as DescribeRouteTables returns them.
        endpoints: As DescribeVpcEndpoints returns them.
    """
    table = _table_of(has, list(tables))
    return Subnet(
        zone=has.get("AvailabilityZone"),
        leads_out=any(
            one.get("DestinationCidrBlock") == "0.0.0.0/0" and bool(_WAYS_OUT & one.keys())
            for one in table.get("Routes", ())
        ),
        endpoints=frozenset(
            str(one["ServiceName"]).rpartition(".")[2]
            for one in endpoints
            if one["VpcId"] == has["VpcId"] and _serves(one, table)
        ),
    )


def _table_of(subnet: Mapping[str, Any], tables: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the route table that a subnet is associated with, else its VPC's main one."""
    for key, value in (("SubnetId", subnet["SubnetId"]), ("Main", True)):
        for table in tables:
            in_vpc = table["VpcId"] == subnet["VpcId"]
            if in_vpc and any(one.get(key) == value for one in table.get("Associations", ())):
                return table
    return {}


def _serves(endpoint: Mapping[str, Any], table: Mapping[str, Any]) -> bool:
    """Tell whether requests to the service's usual host name go to an endpoint."""
    if endpoint.get("VpcEndpointType", "Gateway") == "Gateway":
        return table.get("RouteTableId") in endpoint.get("RouteTableIds", ())
    return endpoint.get("PrivateDnsEnabled") in (True, "true")
