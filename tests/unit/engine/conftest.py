"""A small application in memory."""

from tests.support.small_world import a_world

__all__ = ["a_world"]
