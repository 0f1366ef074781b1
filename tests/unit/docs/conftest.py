"""The shop whose API is looked at."""

from tests.unit.http.conftest import a_shop

__all__ = ["a_shop"]
