"""The archive in an S3 bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.aws.clients import translated

if TYPE_CHECKING:
    from lanework.aws.clients import Clients


class S3Archive:
    """Implements the `Archive` port: objects `<stack>/<key>` of one bucket."""

    def __init__(self, clients: Clients, *, bucket: str, stack: str) -> None:
        self._clients = clients
        self._bucket = bucket
        self._stack = stack

    def put(self, key: str, body: bytes) -> None:
        with translated(f"writing to the archive {self._bucket}"):
            self._clients.s3.put_object(
                Bucket=self._bucket, Key=f"{self._stack}/{key}", Body=body, ContentType="application/gzip"
            )
