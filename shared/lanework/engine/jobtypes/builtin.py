"""Names and payloads of Lanework's own job types; builtin_jobs/ holds what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lifecycle.retention import Cleaning

REDRIVE: Final = "lanework.redrive"
DROP: Final = "lanework.drop"
CLEAN: Final = "lanework.clean"
ARCHIVE: Final = "lanework.archive"
WEBHOOK: Final = "lanework.webhook"
RELEASE: Final = "lanework.release"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveOptions:
    """
    How dead jobs are redriven.

    Attributes:
        rate: Jobs a second, 0.1 to 1,000; None: as fast as it goes.
        canary: First one, then a tenth, then the rest; stop if one of them dies again.
    """

    rate: float | None = None
    canary: bool = False


class BulkRedrivePayload(BaseModel):
    """Payload of `lanework.redrive` and `lanework.drop`: which dead jobs, `died_before` set, and how."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    which: DeadFilter
    options: RedriveOptions = RedriveOptions()


class CleanupPayload(BaseModel):
    """Payload of `lanework.clean`: which ended jobs to retire; several cleanings take one walk over the jobs."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    cleanings: tuple[Cleaning, ...]


class ReleasePayload(BaseModel):
    """Payload of `lanework.release`: what has ended that others wait for."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    parent: str


class ArchivePayload(BaseModel):
    """Payload of `lanework.archive`: it takes whatever is due."""
