"""Rules about who may call the API: what API Gateway refuses, and what nobody, or anybody, would reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.doctor.case import Complaint, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.doctor.case import Case


@rule(why="API Gateway refuses the authorizer, or the API answers 401 to everybody whom it lets in")
def api_authorizer(case: Case) -> Iterator[Complaint]:
    """A route's JWT authorizer has an issuer and an audience, and the function knows the role of whom it lets in."""
    function = case.graph.function(f"{case.graph.stack}-api")
    for route in case.graph.routes.values():
        for what, parameter, has in (
            ("issuer", "ApiJwtIssuer", route.issuer),
            ("audience", "ApiJwtAudience", route.audience),
        ):
            if route.authorization == "JWT" and not has:
                yield Complaint.of(
                    route,
                    f"its JWT authorizer has no {what}",
                    f"JwtConfiguration: {what.capitalize()} in its authorizer, or the parameter {parameter}",
                )
        if route.authorization != "NONE" and function and not function.variables.get("LANEWORK_API_AUTHORIZED_ROLE"):
            yield Complaint.of(
                function,
                f"{route.id} has the authorizer {route.authorization}, and LANEWORK_API_AUTHORIZED_ROLE is not set",
                "Environment: {Variables: {LANEWORK_API_AUTHORIZED_ROLE: viewer}}, or producer, or admin",
            )


@rule(why="nobody reaches it, or everybody does who has an endpoint in a VPC of any account")
def private_api(case: Case) -> Iterator[Complaint]:
    """A private API has VPC endpoints, and a policy that names from where it may be called."""
    for one in case.graph.private_apis.values():
        if not one.endpoints:
            todo = "EndpointConfiguration: VpcEndpointIds, or the parameter ApiVpcEndpoints"
            yield Complaint.of(one, "it is private, and has no VPC endpoint", todo)
        if not one.is_bound:
            yield Complaint.of(
                one,
                "its policy doesn't say from where it may be called",
                "Policy: a statement that allows execute-api:Invoke where aws:SourceVpce is one of its endpoints",
            )


RULES: Final = (api_authorizer, private_api)
