"""Reads who may call the APIs of a template: routes of HTTP APIs with their authorizers, and private REST APIs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lanework.doctor.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.doctor.intrinsics import Resolver

_BOUNDS = ("aws:SourceVpce", "aws:SourceVpc")
"""Conditions by which a private API's policy says from where it may be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Resource):
    """
    A route of an HTTP API.

    Attributes:
        authorization: `NONE`, `JWT` or `AWS_IAM`.
        issuer, audience: Of the JWTs that it takes; None and nothing where they aren't said.
    """

    authorization: str
    issuer: str | None
    audience: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateApi(Resource):
    """
    A REST API that is reached from VPCs only.

    Attributes:
        endpoints: Ids of the VPC endpoints that it has.
        is_bound: Whether its policy says from which endpoints or VPCs it may be called.
    """

    endpoints: tuple[str, ...]
    is_bound: bool


def routes_in(resolver: Resolver) -> dict[str, Route]:
    """Return the routes of a template's HTTP APIs, by logical id."""
    resources = resolver.resources()
    authorizers = {name: one for name, (kind, one) in resources.items() if kind == "AWS::ApiGatewayV2::Authorizer"}
    routes = {name: one for name, (kind, one) in resources.items() if kind == "AWS::ApiGatewayV2::Route"}
    return {name: _route(name, one, authorizers.get(str(one.get("AuthorizerId")), {})) for name, one in routes.items()}


def _route(name: str, has: Mapping[str, Any], authorizer: Mapping[str, Any]) -> Route:
    takes = authorizer.get("JwtConfiguration", {})
    return Route(
        id=name,
        authorization=has.get("AuthorizationType", "NONE"),
        issuer=takes.get("Issuer") or None,
        audience=tuple(filter(None, takes.get("Audience", ()))),
    )


def private_apis_in(resolver: Resolver) -> dict[str, PrivateApi]:
    """Return a template's private REST APIs, by logical id."""
    apis = [(name, one) for name, (kind, one) in resolver.resources().items() if kind == "AWS::ApiGateway::RestApi"]
    return {
        name: PrivateApi(
            id=name,
            endpoints=tuple(filter(None, one["EndpointConfiguration"].get("VpcEndpointIds", ()))),
            is_bound=_is_bound(one.get("Policy", {})),
        )
        for name, one in apis
        if "PRIVATE" in one.get("EndpointConfiguration", {}).get("Types", ())
    }


def _is_bound(policy: Mapping[str, Any]) -> bool:
    """Tell whether a policy allows calls, and each statement that does, or a denial beside it, says from where."""
    statements = policy.get("Statement", ())
    allowing = [one for one in statements if one.get("Effect") == "Allow"]
    denied = any(one.get("Effect") == "Deny" and _says_from_where(one) for one in statements)
    return bool(allowing) and (denied or all(map(_says_from_where, allowing)))


def _says_from_where(statement: Mapping[str, Any]) -> bool:
    return any(key in _BOUNDS for pairs in statement.get("Condition", {}).values() for key in pairs)
