"""The archive, in memory."""

from __future__ import annotations


class MemoryArchive:
    """
    Implements the `Archive` port.

    Attributes:
        objects: What was put, by key.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = body
