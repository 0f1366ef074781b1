"""DynamoDB as a client may find it: a write lands and its answer is lost, or it is throttled, as often as asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_dynamodb import DynamoDBClient

WRITES = ("PutItem", "UpdateItem", "TransactWriteItems", "BatchExecuteStatement", "BatchWriteItem")


@dataclass
class Wire:
    """
    Stands between a client and DynamoDB.

    Attributes:
        lose: How many of the next writes land with their answer lost; the client then repeats them.
        throttles: Tells of a write, by its operation and body, whether it is refused as one too many.
        lost: The operations whose answers were lost.
    """

    lose: int = 0
    throttles: Callable[[str, dict[str, Any]], bool] = lambda _, __: False
    lost: list[str] = field(default_factory=list)
    _session: URLLib3Session = field(default_factory=URLLib3Session)

    def stand_before(self, client: DynamoDBClient) -> None:
        """Take a place before DynamoDB; what the client repeats, it repeats at once."""
        events: Any = client.meta.events
        for operation in WRITES:
            events.register_first(f"before-send.dynamodb.{operation}", self._send)
        events.register_first("needs-retry.dynamodb", self._again)

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        target: Any = request.headers["X-Amz-Target"]
        operation = target.decode().rpartition(".")[2]
        body: Any = request.body
        if self.throttles(operation, json.loads(body)):
            return self._throttled(request)
        if not self.lose:
            return None
        self.lose -= 1
        self.lost.append(operation)
        self._session.send(request)
        raise ConnectionClosedError(endpoint_url=request.url, error="the answer was lost")

    def _throttled(self, request: AWSPreparedRequest) -> AWSResponse:
        name = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
        body = BytesIO(json.dumps({"__type": name, "message": "too much"}).encode())
        headers: Any = {"x-amzn-RequestId": "0"}
        return AWSResponse(request.url, 400, headers, HTTPResponse(body, preload_content=False))

    def _again(self, caught_exception: Exception | None = None, **_: Any) -> float | None:
        return 0 if isinstance(caught_exception, ConnectionClosedError) else None
