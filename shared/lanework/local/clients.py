"""boto3 clients for one embedded stack: its endpoint, its region, no credentials, profile or proxy of the user's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient


def _session() -> Session:
    from lanework.aws.clients import bare_session  # noqa: PLC0415 - heavy, and not needed to be imported for --help

    return bare_session()


@dataclass(frozen=True, kw_only=True)
class Clients:
    """
    Makes clients for an embedded stack.

    Attributes:
        endpoint: The emulator's address.
        region: The region that the stack is in.
    """

    endpoint: str
    region: str
    _session: Session = field(default_factory=_session, repr=False)

    @property
    def cloudformation(self) -> CloudFormationClient:
        """A CloudFormation client."""
        return self._session.client("cloudformation", **self._options)

    @property
    def dynamodb(self) -> DynamoDBClient:
        """A DynamoDB client."""
        return self._session.client("dynamodb", **self._options)

    @property
    def functions(self) -> LambdaClient:
        """A Lambda client."""
        return self._session.client("lambda", **self._options)

    @property
    def logs(self) -> CloudWatchLogsClient:
        """A CloudWatch Logs client."""
        return self._session.client("logs", **self._options)

    @property
    def s3(self) -> S3Client:
        """An S3 client."""
        return self._session.client("s3", **self._options)

    @property
    def sqs(self) -> SQSClient:
        """An SQS client."""
        return self._session.client("sqs", **self._options)

    @property
    def ssm(self) -> SSMClient:
        """An SSM client."""
        return self._session.client("ssm", **self._options)

    @property
    def _options(self) -> dict[str, Any]:
        from botocore.config import Config  # noqa: PLC0415 - as above

        config = Config(proxies={}, connect_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
        return {"endpoint_url": self.endpoint, "region_name": self.region, "config": config}
