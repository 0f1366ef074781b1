"""`python -m lanework.aws.service_data.strip` writes what lies beside it anew, from the botocore that is here."""

from __future__ import annotations

import gzip
import json
from typing import Any, Final

from botocore.loaders import Loader

from lanework.aws.clients import MODELS, SERVICE_DATA

ENDPOINTS: Final = frozenset(
    {
        *("cloudformation", "dynamodb", "events", "iam", "lambda", "logs", "s3", "scheduler", "secretsmanager"),
        *("sns", "sqs", "ssm", "sts"),
    }
)
"""All services that Lanework makes a client of."""

_FOR_PEOPLE: Final = frozenset({"documentation", "documentationUrl"})


def stripped() -> dict[str, Any]:
    """
    Return what each file holds, by its path without `.json.gz`.

    These are all operations and shapes of the services in `MODELS`, and the endpoints of those in `ENDPOINTS`, of all
    partitions and regions.
    """
    loader = Loader()
    paths = (f"{service}/{version}/service-2" for service, version in MODELS.items())
    return {
        "endpoints": _of_ours(loader.load_data("endpoints")),
        **{one: _bare(loader.load_data(one)) for one in paths},
    }


def _of_ours(endpoints: Any) -> Any:  # noqa: ANN401 - JSON
    partitions = [
        {**one, "services": {name: of for name, of in one["services"].items() if name in ENDPOINTS}}
        for one in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _bare(model: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a model without its texts; what is itself described, a shape or a member, may have any name."""
    if isinstance(model, dict):
        return {name: _bare(of) for name, of in model.items() if name not in _FOR_PEOPLE or not isinstance(of, str)}
    return [_bare(one) for one in model] if isinstance(model, list) else model


def main() -> None:
    """Write the files."""
    for name, data in stripped().items():
        file = SERVICE_DATA / f"{name}.json.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(data, separators=(",", ":"))
        file.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
