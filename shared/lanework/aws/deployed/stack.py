"""A stack as CloudFormation knows it: where it is, its parameters, and which resources are its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from boto3.session import Session
from botocore.exceptions import ClientError

from lanework.aws.clients import Clients, translated
from lanework.doctor.case import Refusal
from lanework.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lanework.settings import Settings

GIVEN: Final = "LaneworkGiven"
"""How outputs begin that say what a construct of the CDK was given for a parameter of the template."""

_OF_THE_CDK: Final = re.compile(r"[0-9A-F]{8}$")
"""How the CDK ends the logical ids of what it makes itself: what an adopter's stack has beside the construct."""

_DENIED = ("AccessDenied", "Unauthorized", "AuthorizationError", "Forbidden")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource of the stack: its ids in the template and in AWS."""

    id: str
    type: str
    physical_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """
    A deployed stack.

    Attributes:
        parameters: What it was deployed with.
        resources: What it is made of.
        skew: How far this machine's clock is ahead of AWS's.
    """

    name: str
    account: str
    parameters: Mapping[str, str]
    resources: tuple[Resource, ...]
    skew: timedelta


@dataclass(slots=True)
class Look:
    """Calls AWS for the doctor, and notes what is refused."""

    clients: Clients
    refusals: list[Refusal] = field(default_factory=list)

    def at(self, on: str, service: str, call: str, **asked: Any) -> Any:  # noqa: ANN401 - boto's answers
        """
        Return what a call answers; None if it isn't allowed, or what it asks for isn't there any more.

        Args:
            on: Id of what is looked at.
            service: boto's name for it, of whose client `call` is a method.

        Raises:
            UnavailableError, ConfigError: AWS doesn't answer, or there are no credentials.
        """
        client = self.clients.make(service)
        action = action_of(service, client.meta.method_to_api_mapping[call])
        with translated(f"{action} on {on}"):
            try:
                return getattr(client, call)(**asked)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if any(word in code for word in _DENIED):
                    self.refusals.append(Refusal(action=action, on=on))
                    return None
                if any(word in code for word in ("NotFound", "NonExistent", "DoesNotExist", "NoSuchEntity")):
                    return None
                raise


def action_of(service: str, call: str) -> str:
    """Return what IAM calls the action of an API's call (Service Authorization Reference)."""
    return f"{service}:{'GetLayerVersion' if call == 'GetLayerVersionByArn' else call}"


def find_stack(settings: Settings, look: Look, *, clock: Callable[[], datetime]) -> Stack:
    """
    Return the stack that the settings name.

    Raises:
        ConfigError: There is no such region, or no such stack in it; or nobody may ask.
    """
    _check_region(settings)
    before = clock()
    with translated(f"looking for stack {settings.stack} in {settings.region}"):
        answer = _described(settings, look.clients)
        if answer is None:
            msg = (
                f"there is no stack {settings.stack!r} in {settings.region}: say which with --stack and where with "
                "--region; aws cloudformation list-stacks shows those that there are"
            )
            raise ConfigError(msg)
        server_time = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        skew = timedelta(0) if server_time is None else skew_of(before, clock(), parsedate_to_datetime(server_time))
        pages = look.clients.make("cloudformation").get_paginator("list_stack_resources")
        found = [one for page in pages.paginate(StackName=settings.stack) for one in page["StackResourceSummaries"]]
    if any(one["OutputKey"].startswith(GIVEN) for one in answer["Stacks"][0].get("Outputs", [])):
        found = [one for one in found if not _OF_THE_CDK.search(one["LogicalResourceId"])]
    return Stack(
        name=settings.stack,
        account=look.clients.account,
        parameters=_parameters(answer["Stacks"][0]),
        resources=tuple(
            Resource(
                id=one["LogicalResourceId"], type=one["ResourceType"], physical_id=one.get("PhysicalResourceId", "")
            )
            for one in found
        ),
        skew=skew,
    )


def _parameters(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a stack's parameters; those that a construct of the CDK was given are among its outputs."""
    outputs = {one["OutputKey"]: one.get("OutputValue", "") for one in stack.get("Outputs", [])}
    given = {name.removeprefix(GIVEN): value for name, value in outputs.items() if name.startswith(GIVEN)}
    own = {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])}
    return given | own


def tags_of(settings: Settings) -> Mapping[str, str]:
    """
    Return the tags of a stack; none if CloudFormation has no stack of the name.

    Raises:
        ConfigError, UnavailableError: Nobody may ask, or AWS doesn't answer.
    """
    with translated(f"reading the tags of stack {settings.stack}"):
        answer = _described(settings, Clients(settings))
    return {} if answer is None else {one["Key"]: one["Value"] for one in answer["Stacks"][0].get("Tags", [])}


def _described(settings: Settings, clients: Clients) -> Any:  # noqa: ANN401 - boto's answer
    try:
        return clients.make("cloudformation").describe_stacks(StackName=settings.stack)
    except ClientError as error:
        if "does not exist" in error.response.get("Error", {}).get("Message", ""):
            return None
        raise


def skew_of(before: datetime, after: datetime, server_time: datetime) -> timedelta:
    """
    Return how far a clock is ahead of another's, at least: zero where the two may agree.

    Args:
        before: This clock's time when the other was asked.
        after: And when it had answered.
        server_time: What it answered, in whole seconds, rounded down.
    """
    server_time = server_time.astimezone(UTC)
    if before > server_time + timedelta(seconds=1):
        return before - server_time - timedelta(seconds=1)
    return min(after - server_time, timedelta(0))


def _check_region(settings: Settings) -> None:
    """Find a misspelt region before a name that doesn't resolve does, much later."""
    if settings.endpoint is None:
        session = Session()
        known = [
            one for name in session.get_available_partitions() for one in session.get_available_regions("sqs", name)
        ]
        if settings.region not in known:
            hint = did_you_mean(settings.region, known)
            msg = f"unknown region {settings.region!r}{hint or '; say where the stack is by --region'}"
            raise ConfigError(msg)
