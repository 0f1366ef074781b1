"""
Which endpoints the suites run against: moto's server and MiniStack, or LocalStack where `make test-localstack` says so.

On LocalStack the fixtures of both give LocalStack's endpoint, so the suites run there as they are.
"""

from __future__ import annotations

import os

ON_LOCALSTACK = os.environ.get("LANEWORK_TESTS_ON") == "localstack"
LOCALSTACK = "localstack"


def endpoints(*usual: str) -> list[str]:
    """Return the endpoints of a test that usually runs on these."""
    return [LOCALSTACK] if ON_LOCALSTACK else list(usual)
