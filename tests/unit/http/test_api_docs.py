"""docs/api.md names every endpoint with its role, and none that doesn't exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.gateway import a_client

if TYPE_CHECKING:
    from tests.support.http_shop import Shop

GUIDE = Path(__file__).parents[3] / "docs" / "api.md"


def test_the_guide_names_every_endpoint_with_its_role(shop: Shop) -> None:
    document = a_client(shop.app).get("/openapi.json").json
    endpoints = {
        (f"{method.upper()} {path}", (one["security"][0].get("token") or ["anybody"])[0])
        for path, operations in document["paths"].items()
        for method, one in operations.items()
    }

    named = set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \| (\w+) \|", GUIDE.read_text(), flags=re.MULTILINE))

    assert named == endpoints
