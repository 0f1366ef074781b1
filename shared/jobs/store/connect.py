"""The process's store, made at first use: pynamodb and botocore take 0.4 s to load, which most jobs needn't pay."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jobs.settings import table_settings

if TYPE_CHECKING:
    from jobs.store.table import TableStore


@cache
def app_store() -> TableStore:
    """
    Return the store on the table that APP_TABLE names.

    Raises:
        SettingsError: APP_TABLE is not set.
    """
    from jobs.store.table import TableStore  # noqa: PLC0415 - see above

    return TableStore(table_settings())
