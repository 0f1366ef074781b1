"""
A construct of the AWS CDK that is a project's stack: what template.yaml says, with its code as assets.

It needs the extra `cdk`, and Node.js 20 or newer, which the CDK runs on. Nothing else of Lanework imports this module.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import CfnOutput, Stack, Token
from aws_cdk.aws_dynamodb import Table
from aws_cdk.aws_iam import ManagedPolicy
from aws_cdk.aws_s3_assets import Asset
from aws_cdk.aws_sqs import Queue
from aws_cdk.cloudformation_include import CfnInclude
from constructs import Construct

from lanework.aws.deployed.stack import GIVEN
from lanework.errors import ConfigError, did_you_mean
from lanework.local.deployment.built import published
from lanework.local.deployment.code_assets import built_code, code_folders, content_hash
from lanework.local.deployment.parameter_values import parameter_values, snake
from lanework.local.deployment.sam_transform import translate
from lanework.local.deployment.settled import settled
from lanework.local.deployment.template import lanes_in, read_template
from lanework.local.project import find_deployable
from lanework.model.lanes import Lane, lane_of
from lanework.settings import STACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk.aws_dynamodb import ITable
    from aws_cdk.aws_iam import IRole
    from aws_cdk.aws_sqs import IQueue

    from lanework.local.project import Project

_APP: Final = "jobs:app"
_MARK: Final = "lanework"
_BUCKET: Final = "assets"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneQueues:
    """
    A lane's queues.

    Attributes:
        queue: Where its jobs' messages go.
        dead_letters: Where tickets of its dead jobs lie.
    """

    queue: IQueue
    dead_letters: IQueue


class Lanework(Construct):  # type: ignore[misc] # the CDK isn't in the environment that types are checked in
    """
    Lanework's resources, in the stack that this is part of: each resource and its logical id as in template.yaml.

    Attributes:
        template: What includes them; `template.get_resource("JobsTable")` returns one to change.
        table: The jobs' table.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: str | Path = ".",
        app: str | None = None,
        **parameters: object,
    ) -> None:
        """
        Take a project as `lanework dev` runs it, and values for the parameters of its template.

        Args:
            scope: A stack, or what is part of one; a stack has one Lanework.
            construct_id: Unique in the scope.
            project: A folder of the project, absolute or relative to where the CDK runs.
            app: The application, as `module:attribute`, if it is to be checked: the project says which it is.
            parameters: By name in lower case with underscores: `alarm_email="ops@shop.example"`, `critical_workers=20`,
                `vpc_subnets=[…]`. What is known at the deployment only, such as `key.key_arn`, may be given for texts.

        Raises:
            ConfigError: There is no such parameter, a value isn't right, or the stack has a Lanework already.
            StackError: There is no project, or its code can't be built.
        """
        super().__init__(scope, construct_id)
        self._stack = _own_stack(self)
        found = find_deployable(Path(project).resolve())
        _check_app(app, found)
        source = read_template(found.template)
        self._lanes = lanes_in(source)
        values = parameter_values(source.get("Parameters", {}), parameters)
        self.template = self._include(found, source, values)
        self._note({name: one for name, one in values.items() if name == "Runtime" or snake(name) in parameters})
        self.table: ITable = Table.from_table_arn(self, "JobsTable", self._resource("JobsTable").attr_arn)

    def lane(self, name: str | Lane) -> LaneQueues:
        """
        Return a lane's queues.

        Raises:
            ConfigError: There is no such lane, or the project leaves it out.
        """
        lane = lane_of(name)
        if lane not in self._lanes:
            msg = f"the stack has no lane {lane.value!r}: [tool.lanework] lanes has {', '.join(self._lanes)}"
            raise ConfigError(msg)
        title = lane.value.title()
        return LaneQueues(queue=self._queue(f"{title}Queue"), dead_letters=self._queue(f"{title}DeadLetterQueue"))

    def output(self, name: str) -> str:
        """
        Return the value of one of the template's Outputs, such as `ApiAddress`.

        Raises:
            ConfigError: There is none of that name, with these parameters.
        """
        if name not in self._outputs:
            msg = f"the template has no output {name!r}{did_you_mean(name, self._outputs)}"
            raise ConfigError(msg)
        value: str = Token.as_string(self.template.get_output(name).value)
        return value

    def grant_enqueue(self, role: IRole) -> None:
        """Let a role of this CDK app's enqueue, and nothing else; of a function, give its `role`."""
        policy = self.node.try_find_child("EnqueuePolicy") or ManagedPolicy.from_managed_policy_arn(
            self, "EnqueuePolicy", self._resource("EnqueuePolicy").ref
        )
        role.add_managed_policy(policy)

    def _include(self, project: Project, source: dict[str, Any], values: Mapping[str, str]) -> CfnInclude:
        assets = self._assets(project, source, values)
        release = json.dumps(
            [sorted(values.items()), sorted(one.asset_hash for one in assets.values()), source], default=str
        )
        translated = translate(
            published(source, hashlib.sha256(release.encode()).hexdigest()),
            lambda folder, _: f"s3://{_BUCKET}/{assets[folder].asset_hash}",
        )
        places = {one.asset_hash: (one.s3_bucket_name, one.s3_object_key) for one in assets.values()}
        made = _with_code(settled(translated, values), places)
        self._outputs = tuple(made.get("Outputs", {}))
        with TemporaryDirectory() as folder:
            file = Path(folder, "template.json")
            file.write_text(json.dumps(made, default=str), encoding="utf-8")
            return CfnInclude(self, "Template", template_file=str(file))

    def _note(self, given: Mapping[str, str]) -> None:
        """Let `lanework doctor` see what the construct was given, as it sees a stack's parameters."""
        for name, value in given.items():
            CfnOutput(self, f"{GIVEN}{name}", value=value).override_logical_id(f"{GIVEN}{name}")

    def _assets(self, project: Project, source: dict[str, Any], values: Mapping[str, str]) -> dict[str, Asset]:
        """Return the code by its folders; where the CDK wants none, as in `cdk ls`, as it lies there."""
        if self._stack.bundling_required:
            folders = built_code(project, source, values["Runtime"], values["Architecture"])
        else:
            folders = {one: (project.folder / one).resolve() for one in code_folders(source)}
        return {
            name: Asset(self, logical_id, path=str(folders[name]), asset_hash=content_hash(folders[name]))
            for name, logical_id in code_folders(source).items()
        }

    def _queue(self, logical_id: str) -> IQueue:
        one = self._resource(logical_id)
        known = self.node.try_find_child(logical_id)
        return known or Queue.from_queue_attributes(self, logical_id, queue_arn=one.attr_arn, queue_url=one.ref)

    def _resource(self, logical_id: str) -> Any:  # noqa: ANN401 - one of the CDK's many types
        return self.template.get_resource(logical_id)


def _own_stack(construct: Lanework) -> Stack:
    stack = Stack.of(construct)
    name = stack.stack_name
    if not Token.is_unresolved(name) and not re.fullmatch(STACK, name):
        msg = (
            f"the stack's name {name!r} must be a letter, then letters, digits and hyphens, 48 at most: give stack_name"
        )
        raise ConfigError(msg)
    if any(one.type == _MARK for one in stack.node.metadata):
        msg = f"the stack {stack.node.path} has a Lanework already: write a Stack of its own for {construct.node.path}"
        raise ConfigError(msg)
    stack.node.add_metadata(_MARK, construct.node.path)
    return stack


def _check_app(app: str | None, project: Project) -> None:
    own = project.config.app or _APP
    if app is not None and app != own:
        words = f'write app = "{app}" below [tool.lanework] in pyproject.toml, and type: lanework upgrade'
        msg = f"the application of {project.root} is {own}, not {app}: {words}"
        raise ConfigError(msg)


def _with_code(node: Any, places: Mapping[str, tuple[str, str]]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a template whose code is where the CDK puts it."""
    match node:
        case {"S3Bucket": str(bucket), "S3Key": str(key)} if bucket == _BUCKET and key in places:
            return {"S3Bucket": places[key][0], "S3Key": places[key][1]}
        case dict():
            return {name: _with_code(one, places) for name, one in node.items()}
        case list():
            return [_with_code(one, places) for one in node]
        case _:
            return node
