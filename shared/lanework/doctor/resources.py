"""What a stack's graph holds: queues, functions, mappings, alarms and so on, as far as rules look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from lanework.doctor.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A thing of the stack; `id` is its logical id in the template, also where it was read from a live stack."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(Resource):
    """
    An SQS queue.

    Attributes:
        visibility: How long a message that was received stays hidden.
        retention: How long it keeps a message.
        dead_letters: ARN of the queue that SQS moves messages to; None: to none.
        max_receives: After how many receives it does.
        is_encrypted: Whether what it holds is encrypted at rest.
        is_tls_only: Whether its policy refuses what comes without TLS.
        takes_from: ARNs of the queues that may use it as their dead-letter queue; None lets every queue of the account.
        key: KMS key that it is encrypted with, as it is named; None: SQS's own.
    """

    name: str
    arn: str
    visibility: timedelta
    retention: timedelta
    dead_letters: str | None
    max_receives: int | None
    is_encrypted: bool
    is_tls_only: bool
    takes_from: tuple[str, ...] | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Resource):
    """
    A Lambda function.

    Attributes:
        reserved: Its reserved concurrency; None: none.
        loops: `Allow` or `Terminate`; None where the template doesn't say.
        log_group: Where it writes to.
        role: Id of the role it runs as.
        variables: Its environment.
        network: Where it is in a VPC; None: in none.
        memory: In MB.
        storage: Size of its /tmp in MB.
        is_traced: Whether X-Ray samples its invocations.
        layers: ARNs of its layers that aren't the stack's own.
        log_format: `Text` or `JSON`: how Lambda writes what isn't JSON already.
        log_level: Below what Lambda drops lines, in its words; None: it drops none.
    """

    name: str
    arn: str
    timeout: timedelta
    reserved: int | None
    loops: str | None
    log_group: str
    role: str
    variables: Mapping[str, str]
    network: Network | None = None
    memory: int = 128
    storage: int = 512
    is_traced: bool = False
    layers: tuple[str, ...] = ()
    log_format: str = "Text"
    log_level: str | None = None


def is_queue(arn: str) -> bool:
    """Tell whether an event source is a queue, and its mapping a feed; a table's stream is none."""
    return arn.split(":")[2:3] == ["sqs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Resource):
    """
    An event source mapping: hands a queue's messages to a function.

    Attributes:
        queue: ARN.
        function: The function's name.
        alias: The function's alias that it is handed to; None: to what was deployed last.
        is_on: Whether it does so now.
        batch_size: Most messages of one invocation.
        window: How long it may wait for more of them.
        max_concurrency: Most invocations at once; None where nothing is said.
        pollers: Most pollers of provisioned mode, 10 invocations each; None: the mode is off.
        reports_failures: Whether the function may say which messages failed.
    """

    queue: str
    function: str
    is_on: bool
    batch_size: int
    window: timedelta
    max_concurrency: int | None
    pollers: int | None
    reports_failures: bool
    alias: str | None = None

    @property
    def bound(self) -> int | None:
        """Most invocations at once, whichever way it is said; None: as many as the account allows."""
        return self.max_concurrency if self.pollers is None else 10 * self.pollers


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Resource):
    """
    A DynamoDB table.

    Attributes:
        is_encrypted: Whether it is encrypted with a key of the account's.
        expires_by: Attribute of its time to live; None: it is off.
        is_recoverable: Whether it can be brought back to any second of the last 35 days.
        key: ARN of the customer's KMS key that it is encrypted with; None: DynamoDB's own.
    """

    name: str
    arn: str
    is_encrypted: bool
    expires_by: str | None
    is_recoverable: bool
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup(Resource):
    """
    A log group.

    Attributes:
        days: How long it keeps what is written; None: for ever.
        key: ARN of the KMS key that it is encrypted with; None: CloudWatch's own.
    """

    name: str
    days: int | None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic(Resource):
    """An SNS topic; `key` is the KMS key that it is encrypted with, as it is named, or None."""

    name: str
    arn: str
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """
    A KMS key, as far as it can be looked at.

    Attributes:
        is_on: Whether it can be used: neither disabled nor about to be deleted.
        services: What its policy allows services of AWS, by their principal, such as `cloudwatch.amazonaws.com`.
    """

    is_on: bool
    services: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer(Resource):
    """
    A schedule of EventBridge's.

    Attributes:
        group: Its group's name.
        expression: `cron(…)`, `rate(…)` or `at(…)`.
        target: ARN of what it calls.
        input: What it hands over, as JSON text; None: an event of EventBridge's own.
    """

    name: str
    group: str
    expression: str
    timezone: str
    is_on: bool
    target: str
    input: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(Resource):
    """
    A CloudWatch alarm on one metric.

    Attributes:
        metric: Such as `AWS/Lambda Errors`.
        of: Name of the queue or function that it watches.
        above: Value over which it goes off; None if it goes off otherwise.
        tells: ARNs of whom it tells.
    """

    name: str
    metric: str
    of: str
    above: float | None
    tells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard(Resource):
    """A CloudWatch dashboard; its body is JSON text."""

    name: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """
    A statement of a policy: what is allowed, or denied, on what.

    Attributes:
        is_by_services: Whether it is about what services of AWS do in the caller's name only (kms:ViaService).
    """

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    is_by_services: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Resource):
    """A role, with the statements of all its policies."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias(Resource):
    """An alias of a function, both by name."""

    function: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift(Resource):
    """
    How CodeDeploy shifts an alias to a new version.

    Attributes:
        config: Such as `CodeDeployDefault.LambdaCanary10Percent5Minutes`.
        alarms: Names of those that take it back.
    """

    config: str
    alarms: tuple[str, ...]


def callee(called: str) -> tuple[str, str | None]:
    """Return the name and the alias of what is called by its ARN, or by its name: `…:function:shop-clock:live`."""
    name, _, alias = called.rpartition(":function:")[2].partition(":")
    return name, alias or None
