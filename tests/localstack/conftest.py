"""What the integration suite has, for tests that need LocalStack."""

from tests.support.shop import a_shop

__all__ = ["a_shop"]
