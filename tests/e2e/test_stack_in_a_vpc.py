"""The embedded stack in a VPC, by the template's parameters; the doctor looks at the VPC's routes and endpoints."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from lanework.aws.clients import Clients
from lanework.aws.deployed.stack import Look
from lanework.doctor.case import examine
from lanework.doctor.rules import RULES
from lanework.errors import StackError
from lanework.http.auth.tokens import Role, hash_of, new_token
from lanework.local.doctor_input import live_case
from lanework.local.stack.embedded import RunningStack, embedded_stack
from lanework.local.stack.producer_env import enter
from lanework.settings import Settings
from lanework.wiring import utc_now
from tests.support.developing import a_copy
from tests.support.rights import UNDER_IAM

BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
KEY = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TOKEN = new_token(Role.VIEWER)
PLACED = {
    "VpcSubnets": "subnet-1,subnet-2",
    "VpcSecurityGroups": "sg-1",
    "PermissionsBoundary": BOUNDARY,
    "KmsKey": KEY,
    "LowMemory": "1024",
    "LowStorage": "2048",
    "ApiAccess": "private",
    "ApiVpcEndpoints": "vpce-1,vpce-2",
    "ApiTokens": f"viewer:{hash_of(TOKEN)}",
    "LogFormat": "JSON",
    "LogLevel": "WARNING",
    "Tracing": "Active",
    "AdotLayer": "arn:aws:lambda:us-east-1:615299751070:layer:AWSOpenTelemetryDistroPython:21",
}

JWT = {"ApiAccess": "jwt", "ApiJwtIssuer": "https://login.example.com/", "ApiJwtAudience": "jobs"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    project = a_copy(tmp_path_factory.mktemp("inside") / "shop")
    with embedded_stack(project, fresh=True, name="inside", parameters=PLACED, checks_rights=UNDER_IAM) as stack:
        yield stack


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_a_stack_in_a_vpc_is_as_its_parameters_say_and_drifts_in_nothing(running: RunningStack) -> None:
    enter(running.handle, running.clients)
    settings = Settings.from_env()
    case = live_case(settings, Look(Clients(settings)), running.deployer.project, None, clock=utc_now)
    iam: Any = running.clients.make("iam")
    roles = [one for one in iam.list_roles()["Roles"] if one["RoleName"].startswith("inside-")]
    bounds = {
        iam.get_role(RoleName=one["RoleName"])["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] for one in roles
    }

    assert {one.network.subnets for one in case.graph.functions if one.network} == {("subnet-1", "subnet-2")}
    assert bounds == {BOUNDARY}
    assert {one.key for one in case.graph.queues} == {one.key for one in case.graph.tables} == {KEY}
    assert {one.key for one in case.graph.topics} == {one.key for one in case.graph.log_groups} == {KEY}
    assert examine(case, RULES) == []


def asked(running: RunningStack, api: str, path: str) -> Any:
    """Return what the API answers to a request with Lanework's token."""
    url = f"{running.handle.endpoint}/_aws/execute-api/{api}{path}"
    with urlopen(Request(url, headers={"Authorization": f"Bearer {TOKEN}"})) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def test_a_private_api_answers_as_a_public_one_does(running: RunningStack) -> None:
    assert asked(running, running.outputs["ApiId"], "/jobs/api/jobs?status=queued&lane=low")["jobs"] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"VpcSubnets": ""}, "Give VpcSubnets and VpcSecurityGroups together, or neither"),
        ({"VpcSecurityGroups": ""}, "Give VpcSubnets and VpcSecurityGroups together, or neither"),
        ({"ApiVpcEndpoints": ""}, "ApiAccess=private needs ApiVpcEndpoints"),
        ({**JWT, "ApiJwtAudience": ""}, "ApiAccess=jwt needs ApiJwtIssuer and ApiJwtAudience"),
        ({**JWT, "ApiJwtIssuer": ""}, "ApiAccess=jwt needs ApiJwtIssuer and ApiJwtAudience"),
    ],
    ids=["no subnets", "no security groups", "no endpoints", "no audience", "no issuer"],
)
def test_half_of_what_belongs_together_is_refused_with_what_to_give(
    running: RunningStack, changed: dict[str, str], said: str
) -> None:
    with pytest.raises(StackError, match=said):
        replace(running.deployer, parameters={**PLACED, **changed}).deploy()


def test_behind_an_authorizer_a_token_of_laneworks_is_refused_by_the_gateway(running: RunningStack) -> None:
    outputs = replace(running.deployer, parameters={**PLACED, **JWT}).deploy()

    with pytest.raises(HTTPError, match="401") as refused:
        asked(running, outputs["ApiId"], "/api/jobs")
    assert json.load(refused.value) == {"message": "Unauthorized"}, "the function's own 401 is a problem with a type"
