"""
MiniStack that counts what it is asked, by operation: `GET /_bench/counts`. Run as a script by `endpoint`.

Counted where calls arrive, every system is counted alike, whatever client it has, and none pays for being counted. With
BENCH_LATENCY_MS, such as `{"sqs": 20}`, it lets the calls of a service wait for so long before it looks at them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTS = "/_bench/counts"
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z]+)")


def _entries(request: dict[str, Any]) -> int:
    return sum(len(entries) for entries in request["RequestItems"].values())


_WRITING: dict[str, Callable[[dict[str, Any]], int]] = {
    "dynamodb:PutItem": lambda _: 1,
    "dynamodb:UpdateItem": lambda _: 1,
    "dynamodb:BatchWriteItem": _entries,
    "dynamodb:TransactWriteItems": lambda request: len(request["TransactItems"]),
    "dynamodb:BatchExecuteStatement": lambda request: len(request["Statements"]),
}
"""How many items a call writes, refused ones included, which cost the same."""


class Counting:
    """An ASGI application in front of MiniStack's."""

    def __init__(self, app: Any, latency_ms: dict[str, float]) -> None:
        """Begin at zero."""
        self._app = app
        self._latency_ms = latency_ms
        self._counts: Counter[str] = Counter()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Count a request and pass it on, or answer with the counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == COUNTS:
            await self._answer(send)
        else:
            operation = await self._operation(scope)
            self._counts[operation] += 1
            if operation in _WRITING:
                receive = await self._read(operation, receive)
            if self._latency_ms:
                await asyncio.sleep(self._latency_ms[operation.partition(":")[0]] / 1000)
            await self._app(scope, receive, send)

    async def _read(self, operation: str, receive: Any) -> Any:
        """Count the items that a call of DynamoDB writes, and return what gives its body once more."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self._counts["items written"] += _WRITING[operation](json.loads(body))

        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        return again

    async def _operation(self, scope: dict[str, Any]) -> str:
        headers = dict(scope["headers"])
        target = headers.get(b"x-amz-target")
        if target is not None:
            service, _, operation = target.decode().rpartition(".")
            return f"{'dynamodb' if service.startswith('DynamoDB') else 'sqs'}:{operation}"
        found = _ACTION.search(scope["query_string"])
        return f"sqs:{found.group(1).decode()}" if found else f"s3:{scope['method']}"

    async def _answer(self, send: Any) -> None:
        body = json.dumps(self._counts).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve on GATEWAY_PORT until SIGTERM."""
    from ministack import app as ministack  # noqa: PLC0415 - sets up the logging of who imports it

    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.loglevel = "ERROR"
    application: Any = Counting(ministack.app, json.loads(os.environ["BENCH_LATENCY_MS"]))
    asyncio.run(serve(application, config))


if __name__ == "__main__":
    main()
