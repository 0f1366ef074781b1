"""AWS's prices, from one dated file."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, PositiveFloat

from lanework.model.stats.costs import Prices

FILE: Final = Path(__file__).with_name("prices.json")


class _PriceList(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date
    region: str
    source: str
    sqs_request_usd: PositiveFloat
    write_unit_usd: PositiveFloat
    invocation_usd: PositiveFloat
    gb_second_usd: PositiveFloat
    log_gb_usd: PositiveFloat


@cache
def prices() -> Prices:
    """Return the prices that costs are estimated by."""
    found = _PriceList.model_validate_json(FILE.read_text())
    return Prices(**found.model_dump(exclude={"source"}))
