"""Rules about functions in a VPC: what CloudFormation refuses, and what would time out there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, rule
from lanework.doctor.network import ACCESS_POLICY, INTERFACES
from lanework.doctor.policies import is_allowed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case
    from lanework.doctor.graph import Graph
    from lanework.doctor.network import Network
    from lanework.doctor.resources import Function, Role

_GATEWAYS: Final = frozenset({"dynamodb", "s3"})
"""Services with an endpoint of type Gateway, which costs nothing."""

_CALLED: Final = frozenset(
    {"dynamodb", "events", "kms", "lambda", "logs", "s3", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "sts"}
)
"""Services that code calls, by IAM's prefix, which is the name of their endpoint, too."""

_BY_LAMBDA: Final = frozenset(
    {
        *("logs:createloggroup", "logs:createlogstream", "logs:putlogevents"),
        *("dynamodb:describestream", "dynamodb:getrecords", "dynamodb:getsharditerator", "dynamodb:liststreams"),
    }
)
"""What Lambda itself does as the function's role, from outside the VPC."""


@rule(why="CloudFormation refuses the function: Lambda can't make its network interfaces")
def network_interfaces(case: Case) -> Iterator[Complaint]:
    """The role of a function in a VPC may manage network interfaces."""
    graph = case.graph
    for role in graph.roles:  # nobody here knows what another's role allows
        functions = [one for one in graph.functions if one.role == role.id and one.network is not None]
        missing = [
            one
            for one in INTERFACES
            if functions and not is_allowed(role.statements, one, _resource(one, functions[0], graph))
        ]
        if missing:
            names = [one.name for one in functions]
            yield Complaint.of(
                role,
                f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} in a VPC, and may not {', '.join(missing)}",
                "ManagedPolicyArns: a policy of these actions, as NetworkPolicy in template.yaml; AWS's "
                f"{ACCESS_POLICY} has them, and any log (docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html)",
            )


def _resource(action: str, function: Function, graph: Graph) -> str:
    """Return what an action must be allowed on: EC2's descriptions know no resource."""
    if action.startswith("ec2:Describe"):
        return "*"
    partition = function.arn.partition(":lambda:")[0]
    return f"{partition}:ec2:{graph.region}:{graph.account}:network-interface/any"


@rule(why="Lambda refuses the function")
def vpc_config(case: Case) -> Iterator[Complaint]:
    """A function in a VPC names subnets and security groups."""
    for function, network in _in_vpcs(case.graph):
        for key, ids in (("SubnetIds", network.subnets), ("SecurityGroupIds", network.security_groups)):
            if not ids:
                yield Complaint.of(
                    function, f"its VpcConfig has no {key}", f"VpcConfig: {{{key}: […]}}, or no VpcConfig at all"
                )


@rule(why="when that zone fails, no job of the function runs")
def vpc_zones(case: Case) -> Iterator[Complaint]:
    """A function in a VPC has subnets in two availability zones."""
    for function, network in _in_vpcs(case.graph):
        known = [case.graph.subnets[one] for one in network.subnets if one in case.graph.subnets]
        zones = {one.zone for one in known}
        if len(network.subnets) == 1:
            what = f"its only subnet is {network.subnets[0]}"
        elif len(known) == len(network.subnets) > 1 and len(zones) == 1 and None not in zones:
            what = f"all its subnets are in {known[0].zone}"
        else:
            continue
        yield Complaint.of(function, what, "VpcConfig: SubnetIds of two availability zones at least")


@rule(why="its calls wait for an answer until the function times out")
def vpc_endpoints(case: Case) -> Iterator[Complaint]:
    """A function in a VPC reaches each service that its role lets it call, by an endpoint or a NAT gateway."""
    graph = case.graph
    roles = {one.id: one for one in graph.roles}
    for function, network in _in_vpcs(graph):
        role = roles.get(function.role)
        known = [graph.subnets[one] for one in network.subnets if one in graph.subnets]
        shut = [one.endpoints for one in known if not one.leads_out]
        if role is None or not shut:
            continue
        missing = sorted(_called(role) - frozenset.intersection(*shut))
        if missing:
            wanted = (f"com.amazonaws.{graph.region}.{one} ({_kind(one)})" for one in missing)
            yield Complaint.of(
                function,
                f"it calls {', '.join(missing)}, and from its subnets no endpoint and no NAT gateway leads there",
                f"an AWS::EC2::VPCEndpoint each for {', '.join(wanted)}; or a default route to a NAT gateway",
            )


def _called(role: Role) -> frozenset[str]:
    """Return the services that a role lets code call."""
    by_code = [one for one in role.statements if one.allows and not one.is_by_services]
    actions = {action.lower() for one in by_code for action in one.actions}
    return frozenset(action.partition(":")[0] for action in actions - _BY_LAMBDA) & _CALLED


def _kind(service: str) -> str:
    return "Gateway" if service in _GATEWAYS else "Interface"


def _in_vpcs(graph: Graph) -> Iterator[tuple[Function, Network]]:
    for one in graph.functions:
        if one.network is not None:
            yield one, one.network


RULES: Final = (network_interfaces, vpc_config, vpc_zones, vpc_endpoints)
