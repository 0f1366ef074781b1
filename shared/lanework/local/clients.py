"""boto3 clients for one embedded stack: its endpoint, its region, no credentials, profile or proxy of the user's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient


ClientT = TypeVar("ClientT")


def _session() -> Session:
    from lanework.aws.clients import bare_session  # noqa: PLC0415 - heavy, and not needed to be imported for --help

    return bare_session()


class _Made(Generic[ClientT]):
    """An attribute that makes a client each time."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __get__(self, clients: Clients, _: type) -> ClientT:
        return cast("ClientT", clients.make(self._service))


@dataclass(frozen=True, kw_only=True)
class Clients:
    """Makes clients for an embedded stack."""

    endpoint: str
    region: str
    _session: Session = field(default_factory=_session, repr=False)

    cloudformation: ClassVar[_Made[CloudFormationClient]] = _Made("cloudformation")
    dynamodb: ClassVar[_Made[DynamoDBClient]] = _Made("dynamodb")
    functions: ClassVar[_Made[LambdaClient]] = _Made("lambda")
    logs: ClassVar[_Made[CloudWatchLogsClient]] = _Made("logs")
    s3: ClassVar[_Made[S3Client]] = _Made("s3")
    sqs: ClassVar[_Made[SQSClient]] = _Made("sqs")
    ssm: ClassVar[_Made[SSMClient]] = _Made("ssm")

    def make(self, service: Any) -> Any:  # noqa: ANN401 - boto's clients have a type each
        """Make the client of a service."""
        from botocore.config import Config  # noqa: PLC0415 - as above

        config = Config(proxies={}, connect_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
        return self._session.client(service, endpoint_url=self.endpoint, region_name=self.region, config=config)
