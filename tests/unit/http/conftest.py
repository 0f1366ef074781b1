"""A small application in memory, and a client of its API."""

from tests.support.http_shop import a_shop

__all__ = ["a_shop"]
