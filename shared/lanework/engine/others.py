"""Calling code of others beside a job, such as a hook: whatever it does, who called it goes on."""

from __future__ import annotations

import logging
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

from lanework.engine.fault import traceback_of, type_of
from lanework.engine.runtime import is_from_outside

if TYPE_CHECKING:
    from collections.abc import Callable


def apart(what: str, call: Callable[[], object]) -> None:
    """Call code of others; what it raises is logged under `what`, without its text, which may quote a payload."""
    try:
        call()
    except BaseException as error:
        if is_from_outside(error):
            raise
        logging.getLogger("lanework").error(what, extra={"action": what, "reason": place_of(error)})  # noqa: TRY400


def place_of(error: BaseException) -> str:
    """Return what was raised, and where: `KeyError in change, ledger.py:12`."""
    frames = extract_tb(traceback_of(error))
    where = f" in {frames[-1].name}, {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type_of(error)}{where}"
