"""The shop whose API is looked at."""

from tests.support.http_shop import a_shop

__all__ = ["a_shop"]
