"""The environment of the processes that the embedded stack starts: none of the user's credentials or profiles."""

from __future__ import annotations

import os
from typing import Final

PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"),
)
"""All that such a process sees of the environment it was started from."""


EMULATORS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
}
"""What leads to an emulator, and to nothing else."""


def clean_environment() -> dict[str, str]:
    """Return an environment with the emulator's credentials, in UTC as in Lambda."""
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        **EMULATORS,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "TZ": "UTC",
    }
