"""What runs an attempt under Powertools' idempotency, or plainly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanework.engine.execution.attempt import Execution


Guard = Callable[["Execution"], None]
"""Takes one execution through claim, run, and complete or settle. In Lambda this is Powertools' idempotency."""
