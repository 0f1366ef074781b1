"""What enqueue hands back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

ResultT_co = TypeVar("ResultT_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Generic[ResultT_co]):
    """
    Proof that a job is recorded or on its way.

    Attributes:
        job_id: The job's id.
        duplicate: A job with this id existed before; nothing new will run.
    """

    job_id: str
    duplicate: bool = False
