"""AWS's prices, from one dated file."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from lanework.model.costs.costs import Prices

FILE: Final = Path(__file__).with_name("prices.json")


@cache
def prices() -> Prices:
    """Return the prices that costs are estimated by."""
    found = {name: value for name, value in json.loads(FILE.read_text()).items() if name != "source"}
    return Prices(**found | {"as_of": date.fromisoformat(found["as_of"])})
