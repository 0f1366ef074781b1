"""What the doctor says of who may call the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lanework.doctor.case import Finding, examine
from lanework.doctor.rules import RULES
from lanework.doctor.template_api import PrivateApi, Route
from lanework.local.deployment.template import read_template
from lanework.local.doctor_input import template_case

ROOT = Path(__file__).parents[3]
ISSUER = "https://login.example.com/"
JWT = {"ApiAccess": "jwt", "ApiJwtIssuer": ISSUER, "ApiJwtAudience": "jobs,ops"}
PRIVATE = {"ApiAccess": "private", "ApiVpcEndpoints": "vpce-1,vpce-2"}

Template = dict[str, Any]


@pytest.fixture
def ours() -> Template:
    return read_template(ROOT / "template.yaml")


def found_in(template: Template, **parameters: str) -> list[Finding]:
    return examine(template_case(template, None, parameters=parameters), RULES)


@pytest.mark.parametrize(
    "parameters",
    [JWT, {"ApiAccess": "iam", "ApiAuthorizedRole": "admin"}, PRIVATE, {"ApiAccess": "none"}],
    ids=lambda one: one["ApiAccess"],
)
def test_each_way_to_the_api_has_all_it_needs(parameters: dict[str, str], ours: Template) -> None:
    assert found_in(ours, **parameters) == []


def test_a_jwt_is_looked_at_by_the_gateway_and_the_function_knows_what_it_is_worth(ours: Template) -> None:
    graph = template_case(ours, None, parameters=JWT).graph

    assert graph.routes == {
        "ApiRoute": Route(id="ApiRoute", authorization="JWT", issuer=ISSUER, audience=("jobs", "ops"))
    }
    api = graph.function("lanework-api")
    assert api is not None
    assert api.variables["LANEWORK_API_AUTHORIZED_ROLE"] == "viewer"


def test_in_public_no_authorizer_stands_before_the_functions_own_tokens(ours: Template) -> None:
    graph = template_case(ours, None).graph

    assert {one.authorization for one in graph.routes.values()} == {"NONE"}
    api = graph.function("lanework-api")
    assert api is not None
    assert "LANEWORK_API_AUTHORIZED_ROLE" not in api.variables


def test_a_private_api_is_a_rest_api_for_its_endpoints_alone(ours: Template) -> None:
    graph = template_case(ours, None, parameters=PRIVATE).graph

    assert graph.routes == {}
    assert graph.private_apis == {
        "PrivateApi": PrivateApi(id="PrivateApi", endpoints=("vpce-1", "vpce-2"), is_bound=True)
    }


def test_without_an_api_nothing_of_it_is_left(ours: Template) -> None:
    graph = template_case(ours, None, parameters={"ApiAccess": "none"}).graph

    assert not any("Api" in one_id for one_id, _ in graph.everything())
    assert (graph.routes, graph.private_apis) == ({}, {})


def test_jwts_without_an_issuer_or_an_audience_are_found(ours: Template) -> None:
    findings = found_in(ours, ApiAccess="jwt")

    assert [(one.rule, one.what) for one in findings] == [
        ("api-authorizer", "its JWT authorizer has no issuer"),
        ("api-authorizer", "its JWT authorizer has no audience"),
    ]


def test_an_authorizer_of_whom_the_function_knows_nothing_is_found_before_everybody_gets_401(ours: Template) -> None:
    ours["Resources"]["ApiRoute"]["Properties"]["AuthorizationType"] = "AWS_IAM"

    (finding,) = found_in(ours)

    assert (finding.rule, finding.about) == ("api-authorizer", "ApiFunction")
    assert "LANEWORK_API_AUTHORIZED_ROLE" in finding.todo


ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
ELSEWHERE = {"StringNotEquals": {"aws:SourceVpce": ["vpce-1"]}}


@pytest.mark.parametrize(
    ("statements", "is_found"),
    [
        ([ALLOW], True),
        ([], True),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Condition": ELSEWHERE}], False),
        ([{**ALLOW, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}], False),
    ],
    ids=["everybody", "nobody", "a denial of all others", "a VPC"],
)
def test_a_private_api_that_any_accounts_endpoint_reaches_is_found(
    statements: list[Template], is_found: bool, ours: Template
) -> None:
    ours["Resources"]["PrivateApi"]["Properties"]["Policy"]["Statement"] = statements

    assert [one.rule for one in found_in(ours, **PRIVATE)] == ["private-api"] * is_found
