"""The embedded stack in a VPC, by the template's parameters; the doctor looks at the VPC's routes and endpoints."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from lanework.aws.clients import Clients
from lanework.aws.deployed.stack import Look
from lanework.doctor.case import examine
from lanework.doctor.rules import RULES
from lanework.errors import StackError
from lanework.http.auth.tokens import Role, hash_of, new_token
from lanework.local.doctor_input import live_case
from lanework.local.project import find_project
from lanework.local.stack.embedded import embedded_stack
from lanework.local.stack.producer_env import enter
from lanework.settings import Settings
from lanework.wiring import utc_now

ROOT = Path(__file__).parents[2]
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


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_a_stack_in_a_vpc_is_as_its_parameters_say_and_drifts_in_nothing() -> None:
    project = find_project(ROOT)
    with embedded_stack(project, fresh=True, name="inside", parameters=PLACED) as running:
        enter(running.handle, running.clients)
        settings = Settings.from_env()
        case = live_case(settings, Look(Clients(settings)), project, None, clock=utc_now)
        api = f"{running.handle.endpoint}/_aws/execute-api/{running.outputs['ApiId']}/jobs"
        asked = Request(f"{api}/api/jobs?status=queued&lane=low", headers={"Authorization": f"Bearer {TOKEN}"})  # noqa: S310
        with urlopen(asked) as answer:  # noqa: S310 - loopback
            listed = json.load(answer)
        iam: Any = running.clients.make("iam")
        roles = [one for one in iam.list_roles()["Roles"] if one["RoleName"].startswith("inside-")]
        bounds = {
            iam.get_role(RoleName=one["RoleName"])["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
            for one in roles
        }

    assert {one.network.subnets for one in case.graph.functions if one.network} == {("subnet-1", "subnet-2")}
    assert bounds == {BOUNDARY}
    assert listed["jobs"] == []
    assert {one.key for one in case.graph.queues} == {one.key for one in case.graph.tables} == {KEY}
    assert {one.key for one in case.graph.topics} == {one.key for one in case.graph.log_groups} == {KEY}
    assert examine(case, RULES) == []


@pytest.mark.parametrize("half", ["VpcSubnets", "VpcSecurityGroups"])
def test_half_a_vpc_is_refused_with_what_to_give(half: str) -> None:
    stack = embedded_stack(find_project(ROOT), fresh=True, name="half", parameters={half: PLACED[half]})

    with pytest.raises(StackError, match="Give VpcSubnets and VpcSecurityGroups together, or neither"), stack:
        pass
