"""Reads the subnets of a template's own VPCs: to what their routes and endpoints lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.doctor.network import subnet_of

if TYPE_CHECKING:
    from lanework.doctor.intrinsics import Resolver
    from lanework.doctor.network import Subnet

Properties = dict[str, Any]


def subnets_in(resolver: Resolver) -> dict[str, Subnet]:
    """Return the subnets of VPCs that the template makes, by logical id; nothing is known here of another's VPC."""
    resources = resolver.resources()

    def of(kind: str) -> dict[str, Properties]:
        return {name: one for name, (type_, one) in resources.items() if type_ == f"AWS::EC2::{kind}"}

    tables = [
        {
            "RouteTableId": name,
            "VpcId": one["VpcId"],
            "Associations": _of_table(name, of("SubnetRouteTableAssociation")),
            "Routes": _of_table(name, of("Route")),
        }
        for name, one in of("RouteTable").items()
    ]
    endpoints = list(of("VPCEndpoint").values())
    return {
        name: subnet_of({"SubnetId": name, **one}, tables, endpoints)
        for name, one in of("Subnet").items()
        if one["VpcId"] in of("VPC")
    }


def _of_table(table: str, resources: dict[str, Properties]) -> list[Properties]:
    return [one for one in resources.values() if one["RouteTableId"] == table]
