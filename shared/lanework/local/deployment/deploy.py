"""Deploys a project's own template, with its code, to the embedded stack."""

from __future__ import annotations

import json
import platform
import sys
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lanework.errors import StackError
from lanework.local.deployment.cloudformation_gaps import make_good
from lanework.local.deployment.layer_files import layer_files
from lanework.local.deployment.layer_packages import files_beside, layer_packages
from lanework.local.deployment.package import zip_functions, zip_layer
from lanework.local.deployment.preflight import try_code
from lanework.local.deployment.refused_types import refused_types, without_types
from lanework.local.deployment.template import LAYER, at_once, read_template, with_code_at, with_variables
from lanework.local.emulator.process import wait_for
from lanework.local.environment import local_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mypy_boto3_cloudformation.literals import CapabilityType
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

    from lanework.local.clients import Clients
    from lanework.local.deployment.package import Package
    from lanework.local.project import Project

DEPLOY_WITHIN = timedelta(seconds=120)
CAPABILITIES: tuple[CapabilityType, ...] = ("CAPABILITY_AUTO_EXPAND", "CAPABILITY_NAMED_IAM")
ACCOUNT = "000000000000"
BUCKET = "lanework-code"
UNCHANGED = "No updates are to be performed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployer:
    """
    Brings a stack to what the project's files say.

    Attributes:
        parameters: Values for the template's parameters, over those that the host decides.
        report: Called with a line for each part of the template that is left out, since the emulator lacks it.
    """

    project: Project
    clients: Clients
    stack: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    report: Callable[[str], object] = lambda _: None

    def deploy(self) -> dict[str, str]:
        """
        Create or update the stack, and return its outputs. An invocation that has begun finishes on the old code.

        Raises:
            StackError: If the template or the code is broken, with the first reason. A stack that was there before
                stays as it was.
            ConfigError: `.env` can't be read, or lacks what a variable refers to.
        """
        own = local_environment(self.project).complete()
        template = at_once(with_variables(read_template(self.project.template), own))
        packages = layer_packages(self.project)
        try_code(self.project, packages, template, self._known(template))
        try:
            self._submit_what_is_there(with_code_at(template, partial(self._upload, packages)))
            make_good(template, self.stack, self.clients, known=self._known(template))
            return {one["OutputKey"]: one["OutputValue"] for one in self._describe().get("Outputs", [])}
        except ClientError as error:
            problem = f"{self.project.template.name}: {error.response['Error']['Message']}"
            raise StackError(problem) from error
        except BotoCoreError as error:
            problem = f"can't reach the emulator at {self.clients.endpoint}: {error}"
            raise StackError(problem) from error

    def _upload(self, packages: Path, folder: str, kind: str) -> str:
        source = (self.project.folder / folder).resolve()
        package = self._layer(source, packages) if kind == LAYER else zip_functions(source)
        self.clients.s3.create_bucket(Bucket=BUCKET)
        self.clients.s3.put_object(Bucket=BUCKET, Key=package.key, Body=package.content)
        return f"s3://{BUCKET}/{package.key}"

    def _layer(self, source: Path, packages: Path) -> Package:
        """Zip the project's layer, or another that its template has."""
        if source == self.project.shared.resolve():
            return zip_layer(source, files_beside(self.project, packages), packages)
        return zip_layer(source, layer_files([source]))

    def _upload_template(self, template: dict[str, Any]) -> str:
        key = f"{self.stack}.template.json"
        self.clients.s3.create_bucket(Bucket=BUCKET)
        self.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(template).encode())
        return f"{self.clients.endpoint}/{BUCKET}/{key}"

    def _submit_what_is_there(self, template: dict[str, Any]) -> None:
        """Deploy the template, without the resources whose types the emulator doesn't have."""
        try:
            self._submit(template)
        except ClientError as error:
            less, left_out = without_types(template, refused_types(error.response["Error"]["Message"]))
            if not left_out:
                raise
            for name, kind in left_out.items():
                self.report(f"left out here: {name}, since the emulator has no {kind}")
            self._submit(less)

    def _submit(self, template: dict[str, Any]) -> None:
        self._remove_failed_creation()
        send = self.clients.cloudformation.update_stack if self._exists() else self.clients.cloudformation.create_stack
        token = uuid.uuid4().hex
        try:
            send(
                StackName=self.stack,
                TemplateURL=self._upload_template(template),  # a template in the request may have 51,200 bytes only
                Parameters=self._parameters(template),
                Capabilities=CAPABILITIES,
                ClientRequestToken=token,
            )
        except ClientError as error:
            if UNCHANGED in error.response["Error"]["Message"]:
                return
            raise
        self._wait(token)

    def _parameters(self, template: dict[str, Any]) -> list[ParameterTypeDef]:
        values = {**host_parameters(), **self.parameters}
        declared = template.get("Parameters", {})
        return [{"ParameterKey": name, "ParameterValue": values[name]} for name in declared if name in values]

    def _known(self, template: dict[str, Any]) -> dict[str, str]:
        defaults = {name: str(one.get("Default", "")) for name, one in template.get("Parameters", {}).items()}
        given = {one["ParameterKey"]: one["ParameterValue"] for one in self._parameters(template)}
        pseudo = {"AWS::StackName": self.stack, "AWS::Region": self.clients.region, "AWS::AccountId": ACCOUNT}
        return {**defaults, **given, **pseudo}

    def _wait(self, token: str) -> None:
        wait_for(self._is_settled, within=DEPLOY_WITHIN, what=f"the stack {self.stack} to be deployed")
        status = self._describe()["StackStatus"]
        if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            problem = f"{self.project.template.name}: {self._first_failure(token) or status}"
            raise StackError(problem)

    def _first_failure(self, token: str) -> str | None:
        pages = self.clients.cloudformation.get_paginator("describe_stack_events").paginate(StackName=self.stack)
        events = [event for page in pages for event in page["StackEvents"] if event.get("ClientRequestToken") == token]
        for event in reversed(events):
            if event["ResourceStatus"].endswith("_FAILED"):
                return f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
        return None

    def _remove_failed_creation(self) -> None:
        if self._exists() and self._describe()["StackStatus"] in {"ROLLBACK_COMPLETE", "CREATE_FAILED"}:
            self.clients.cloudformation.delete_stack(StackName=self.stack)
            wait_for(lambda: not self._exists(), within=DEPLOY_WITHIN, what=f"the failed stack {self.stack} to go")

    def _exists(self) -> bool:
        try:
            self._describe()
        except ClientError:
            return False
        return True

    def _is_settled(self) -> bool:
        return not self._describe()["StackStatus"].endswith("_IN_PROGRESS")

    def _describe(self) -> StackTypeDef:
        return self.clients.cloudformation.describe_stacks(StackName=self.stack)["Stacks"][0]


def host_parameters() -> dict[str, str]:
    """Return the parameters that the machine decides: the emulator runs functions on its own interpreter."""
    is_arm = platform.machine().lower() in {"arm64", "aarch64"}
    return {
        "Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "Architecture": "arm64" if is_arm else "x86_64",
    }
