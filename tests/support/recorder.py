"""A server in front of an endpoint that notes what is asked of it, as IAM would look at it."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_A_TRANSACTION: Final = {"Put": "PutItem", "Update": "UpdateItem", "ConditionCheck": "ConditionCheckItem"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    Something that a caller must be allowed.

    Attributes:
        action: As IAM calls it.
        on: Name of the table, or of the queue.
        key: The item's partition key; empty of a queue.
    """

    action: str
    on: str
    key: str = ""


@dataclass(slots=True)
class Recorder:
    """
    What was asked.

    Attributes:
        endpoint: Where to ask.
        asked: All of it.
    """

    endpoint: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def recording(endpoint: str) -> Iterator[Recorder]:
    """Pass requests on to an endpoint, and note them."""
    behind = urlsplit(endpoint)

    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "X-Amz-Target" in self.headers:  # STS speaks otherwise; who one is anybody may ask
                recorder.asked += asked_in(self.headers["X-Amz-Target"], json.loads(body))
            connection = HTTPConnection(str(behind.hostname), behind.port)
            connection.request("POST", self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    server.daemon_threads = True
    recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked_in(target: str, body: dict[str, Any]) -> Iterator[Asked]:
    """Yield what a request asks for."""
    service, _, operation = target.partition(".")
    if service.startswith("AmazonSQS"):
        action = operation.removesuffix("Batch")
        yield Asked(action=f"sqs:{action}", on=body["QueueUrl"].rpartition("/")[2])
        return
    match operation:
        case "TransactWriteItems":
            yield from (_of_item(_OF_A_TRANSACTION[kind], one[kind]) for one in body["TransactItems"] for kind in one)
        case "BatchExecuteStatement":
            yield from map(_of_statement, body["Statements"])
        case "BatchGetItem" | "BatchWriteItem":
            yield from _of_batch(operation, body["RequestItems"])
        case "Query":
            yield Asked(action="dynamodb:Query", on=f"{body['TableName']}/{body.get('IndexName', '')}".rstrip("/"))
        case _:
            yield _of_item(operation, body)


def _of_batch(operation: str, tables: dict[str, Any]) -> Iterator[Asked]:
    for table, wanted in tables.items():
        if operation == "BatchGetItem":
            keys = wanted["Keys"]
        else:
            keys = [one.get("PutRequest", {}).get("Item") or one["DeleteRequest"]["Key"] for one in wanted]
        yield from (Asked(action=f"dynamodb:{operation}", on=table, key=key["pk"]["S"]) for key in keys)


def _of_item(operation: str, request: dict[str, Any]) -> Asked:
    key = (request.get("Item") or request["Key"])["pk"]["S"]
    return Asked(action=f"dynamodb:{operation}", on=request["TableName"], key=key)


def _of_statement(one: dict[str, Any]) -> Asked:
    text = one["Statement"]
    words = {"INSERT": "PartiQLInsert", "UPDATE": "PartiQLUpdate", "SELECT": "PartiQLSelect", "DELETE": "PartiQLDelete"}
    names = re.findall(r"'([^']+)': \?", text)
    place = names.index("pk") if "pk" in names else -2
    found = re.search(r'"([^"]+)"', text)
    assert found is not None
    return Asked(action=f"dynamodb:{words[text.split()[0]]}", on=found[1], key=one["Parameters"][place].get("S", ""))
