"""The environment of the processes that the embedded stack starts: none of the user's credentials or profiles."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"),
)
"""All that such a process sees of the environment it was started from."""


def clean_environment(host: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Return an environment with the emulator's credentials, in UTC as in Lambda.

    Args:
        host: What to pass on of, this process's own environment by default.
    """
    source = os.environ if host is None else host
    return {
        **{name: source[name] for name in PASSED_ON if name in source},
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "TZ": "UTC",
    }
