"""What the doctor says of functions in a VPC, on a template and on a live stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lanework.aws.deployed.network import subnets_of
from lanework.doctor.case import Finding, examine
from lanework.doctor.network import Network, Subnet, network_of
from lanework.doctor.rules import RULES
from lanework.local.deployment.template import read_template
from lanework.local.doctor_input import template_case

ROOT = Path(__file__).parents[3]
PLACED = {"VpcSubnets": "subnet-1,subnet-2", "VpcSecurityGroups": "sg-1"}

Template = dict[str, Any]


@pytest.fixture
def ours() -> Template:
    return read_template(ROOT / "template.yaml")


def found_in(template: Template, **parameters: str) -> list[Finding]:
    return examine(template_case(template, None, parameters=parameters), RULES)


VPC: Template = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "g", "VpcId": {"Ref": "Vpc"}}},
    "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    **{
        name: {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.0.{number}.0/24", "AvailabilityZone": zone},
        }
        for name, number, zone in (("A", 1, "us-east-1a"), ("B", 2, "us-east-1b"))
    },
    **{
        f"{name}Routes": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": {"Ref": name}, "RouteTableId": {"Ref": "Table"}},
        }
        for name in "AB"
    },
}


def in_own_vpc(template: Template, more: Template) -> list[Finding]:
    """Return what is found where the template makes the VPC that all functions are in."""
    template["Resources"] |= VPC | more
    subnets, groups = [{"Ref": "A"}, {"Ref": "B"}], [{"Fn::GetAtt": ["Group", "GroupId"]}]
    template["Globals"]["Function"]["VpcConfig"] = {"SubnetIds": subnets, "SecurityGroupIds": groups}
    return found_in(template, **PLACED)


def endpoint(service: str, *, gateway: bool = False, **more: Any) -> Template:
    kind = {"RouteTableIds": [{"Ref": "Table"}]} if gateway else {"VpcEndpointType": "Interface"}
    dns = {} if gateway else {"PrivateDnsEnabled": True}
    name = {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"}
    properties = {"VpcId": {"Ref": "Vpc"}, "ServiceName": name, **kind, **dns, **more}
    return {f"{service.capitalize()}Endpoint": {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}}


def out_by(target: str) -> Template:
    to = {"RouteTableId": {"Ref": "Table"}, "DestinationCidrBlock": "0.0.0.0/0", target: "x-1"}
    return {"Out": {"Type": "AWS::EC2::Route", "Properties": to}}


def test_a_vpc_that_was_written_into_globals_without_the_roles_permissions_is_found_before_cloudformation_refuses(
    ours: Template,
) -> None:
    ours["Globals"]["Function"]["VpcConfig"] = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}

    findings = found_in(ours)

    assert {one.rule for one in findings} == {"network-interfaces"}
    assert "LowWorkerRole" in {one.about for one in findings}
    assert "ec2:CreateNetworkInterface" in findings[0].what
    assert "AWSLambdaVPCAccessExecutionRole" in findings[0].todo


def test_functions_in_a_vpc_by_parameters_have_all_they_need(ours: Template) -> None:
    assert found_in(ours, **PLACED) == []
    graph = template_case(ours, None, parameters=PLACED).graph

    assert {one.network for one in graph.functions} == {
        Network(subnets=("subnet-1", "subnet-2"), security_groups=("sg-1",))
    }


def test_without_the_parameters_no_function_is_in_a_vpc_and_no_role_may_manage_interfaces(ours: Template) -> None:
    graph = template_case(ours, None).graph

    assert {one.network for one in graph.functions} == {None}
    assert not any(
        action.startswith("ec2:") for role in graph.roles for one in role.statements for action in one.actions
    )


def test_awss_own_policy_is_enough_for_interfaces(ours: Template) -> None:
    del ours["Resources"]["NetworkPolicy"]["Condition"]
    ours["Conditions"]["FunctionsAreInVpc"] = {"Fn::Equals": ["a", "a"]}
    own = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    attached = ours["Resources"]["EventsRole"]["Properties"]
    attached["ManagedPolicyArns"] = [own]

    assert "network-interfaces" not in {one.rule for one in found_in(ours, **PLACED, EventsToBus="ends")}


def test_a_vpc_without_endpoints_names_what_each_function_would_wait_for_in_vain(ours: Template) -> None:
    findings = [one for one in in_own_vpc(ours, endpoint("sqs")) if one.rule == "vpc-endpoints"]
    clock = next(one for one in findings if one.about == "Clock")

    assert {one.about for one in findings} >= {"Clock", "ApiFunction", "LowWorker"}
    assert clock.what.startswith("it calls dynamodb, sns, and from its subnets")
    assert "com.amazonaws.us-east-1.dynamodb (Gateway), com.amazonaws.us-east-1.sns (Interface)" in clock.todo


def test_with_an_endpoint_for_each_service_it_has_all(ours: Template) -> None:
    endpoints = endpoint("dynamodb", gateway=True)
    for service in ("sqs", "sns", "scheduler"):
        endpoints |= endpoint(service)

    assert in_own_vpc(ours, endpoints) == []


@pytest.mark.parametrize(
    ("more", "lacks"),
    [
        (endpoint("dynamodb", gateway=True, RouteTableIds=[]), "dynamodb"),
        (endpoint("sqs", PrivateDnsEnabled=False), "sqs"),
    ],
    ids=["a gateway that no route leads to", "an interface whose name resolves to the public address"],
)
def test_an_endpoint_that_no_request_goes_to_is_none(ours: Template, more: Template, lacks: str) -> None:
    clock = next(one for one in in_own_vpc(ours, more) if one.about == "Clock")

    assert lacks in clock.what


@pytest.mark.parametrize(
    ("target", "is_found"), [("NatGatewayId", False), ("TransitGatewayId", False), ("GatewayId", True)]
)
def test_a_default_route_leads_out_unless_its_an_internet_gateway_which_needs_a_public_address(
    ours: Template, target: str, is_found: bool
) -> None:
    assert bool(in_own_vpc(ours, out_by(target))) is is_found


def test_two_subnets_of_one_zone_are_one_zone(ours: Template) -> None:
    same = {"B": {**VPC["B"], "Properties": {**VPC["B"]["Properties"], "AvailabilityZone": "us-east-1a"}}}

    findings = in_own_vpc(ours, out_by("NatGatewayId") | same)

    assert {(one.rule, one.what) for one in findings} == {("vpc-zones", "all its subnets are in us-east-1a")}


def test_every_role_has_the_accounts_path_and_boundary(ours: Template) -> None:
    roles = [one["Properties"] for one in ours["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
    bounded = {"Fn::If": ["RolesAreBounded", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}

    assert len(roles) == 10
    assert all((one["Path"], one["PermissionsBoundary"]) == ({"Ref": "RolePath"}, bounded) for one in roles)
    assert found_in(ours, RolePath="/jobs/", PermissionsBoundary="arn:aws:iam::123456789012:policy/edge") == []


def test_what_lambda_says_of_a_function_in_no_vpc_is_none() -> None:
    assert network_of({"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}) is None
    assert network_of({}) is None


class Ec2:
    """Answers as EC2 does, or refuses."""

    def __init__(self, *refused: str) -> None:
        self._refused = refused

    def at(self, on: str, service: str, call: str, **_: Any) -> Any:
        assert (on, service) == ("VpcConfig", "ec2")
        if call in self._refused:
            return None
        interface = {"VpcId": "vpc-1", "VpcEndpointType": "Interface", "PrivateDnsEnabled": True}
        answers: Template = {
            "describe_subnets": {
                "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "eu-west-1a"}]
            },
            "describe_route_tables": {
                "RouteTables": [
                    {"RouteTableId": "rtb-0", "VpcId": "vpc-0", "Associations": [{"Main": True}], "Routes": []},
                    {
                        "RouteTableId": "rtb-1",
                        "VpcId": "vpc-1",
                        "Associations": [{"Main": True}],
                        "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}],
                    },
                ]
            },
            "describe_vpc_endpoints": {
                "VpcEndpoints": [
                    {**interface, "ServiceName": "com.amazonaws.eu-west-1.sqs", "State": "available"},
                    {**interface, "ServiceName": "com.amazonaws.eu-west-1.ssm", "State": "pending"},
                    {
                        "VpcId": "vpc-1",
                        "VpcEndpointType": "Gateway",
                        "RouteTableIds": ["rtb-1"],
                        "ServiceName": "com.amazonaws.eu-west-1.dynamodb",
                        "State": "available",
                    },
                ]
            },
        }
        return answers[call]


def test_a_live_stacks_subnets_are_looked_at_by_their_main_route_table_and_ready_endpoints() -> None:
    look: Any = Ec2()

    assert subnets_of(["subnet-1"], look) == {
        "subnet-1": Subnet(zone="eu-west-1a", leads_out=False, endpoints=frozenset({"sqs", "dynamodb"}))
    }


@pytest.mark.parametrize("refused", ["describe_subnets", "describe_route_tables", "describe_vpc_endpoints"])
def test_of_subnets_that_may_not_be_looked_at_nothing_is_claimed(refused: str) -> None:
    look: Any = Ec2(refused)

    assert subnets_of(["subnet-1"], look) == {}
