"""
LocalStack without Docker, on the loopback interface, until it is stopped: `python serve.py PORT FOLDER`.

Run by the interpreter that localstack/host is installed in. FOLDER takes what LocalStack writes.
"""

import os
import sys
from pathlib import Path


def main(port: int, folder: Path) -> None:
    """Set what LocalStack reads at import, then be it."""
    here = f"127.0.0.1:{port}"
    os.environ |= {
        "GATEWAY_LISTEN": here,
        "LOCALSTACK_HOST": here,  # the addresses of queues name it
        "GATEWAY_SERVER": "hypercorn",  # the usual one, twisted, listens on every interface
        "DNS_ADDRESS": "0",  # no name server, and no look for one
        "DISABLE_EVENTS": "1",  # no usage data is sent
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "FILESYSTEM_ROOT": str(folder),
        "HOME": str(folder),  # what it finds of plugins is kept in .cache
        "PROVIDER_OVERRIDE_DYNAMODB": "moto",  # dynamodb_by_moto.py
        "SQS_ENDPOINT_STRATEGY": "path",
        "SQS_ENABLE_MESSAGE_RETENTION_PERIOD": "1",
    }
    from localstack.runtime.main import main as run  # noqa: PLC0415 - it reads the environment

    run()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]).resolve())
