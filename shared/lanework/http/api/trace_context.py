"""The trace context of a request, which the jobs that it enqueues take along (W3C, "Trace Context")."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lanework.model.job.headers import inherited

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.jobtypes.request import Request

_PARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_STATE: Final = re.compile(r"[ -~]{1,512}")


def traced(request: Request, headers: Mapping[str, str]) -> Request:
    """
    Return a job's request with the trace context of the HTTP request that asks for it.

    One that isn't as the standard has it is passed over, as the standard has it; so is what doesn't fit beside a
    long correlation id.
    """
    parent, state = headers.get("traceparent") or "", headers.get("tracestate") or ""
    if not _PARENT.fullmatch(parent):
        return request
    kept = {"tracestate": state} if _STATE.fullmatch(state) else {}
    return replace(request, headers=inherited(request.headers, {"traceparent": parent, **kept}))
