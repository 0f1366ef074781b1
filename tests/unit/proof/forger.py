"""Messages that somebody writes who may send to the queues, and who has seen no message of ours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.jobtypes.builtin import DROP
from lanework.model.job.envelope import Envelope
from lanework.model.job.ids import QUEUE_OF_OURS
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from datetime import datetime

FORGED: Final = "forged"
"""How the nonces of forged messages begin: they are guesses."""

KINDS: Final = (
    *("payload", "type", "pause", "unrecorded", "ticket", "ours", "ticket of ours", "other lane", "no message"),
)

_FACTS: Final[dict[str, dict[str, Any]]] = {
    "payload": {},
    "type": {"type": "proof.two"},
    "pause": {"queue": "elsewhere"},
    "unrecorded": {"unrecorded": True},
    "ticket": {"ticket": True},
    "ours": {"type": DROP, "queue": QUEUE_OF_OURS, "unrecorded": True},
    "ticket of ours": {"type": DROP, "queue": QUEUE_OF_OURS, "ticket": True, "life": 2},
    "other lane": {"lane": Lane.LOW, "unrecorded": True},
}


def forged(kind: str, job_id: str, *, life: int, lane: Lane, now: datetime, guess: int) -> str:
    """Return the body of a message under a job's id; the life is the job's, which is easily guessed."""
    if kind == "no message":
        return "drop everything"
    facts: dict[str, Any] = {
        "id": job_id,
        "type": "proof.one",
        "queue": "proof",
        "lane": lane,
        "life": life + 1 if kind == "ticket" else 1 if kind in ("unrecorded", "ours", "other lane") else life,
        "payload": f'{{"nonce": {-guess}}}',
        "attempts": 100,
        "backoff": timedelta(0),
        "created_at": now,
        "nonce": f"{FORGED}-{guess}",
    }
    return Envelope(**(facts | _FACTS[kind])).encode()


def is_forged(message: Envelope | None) -> bool:
    """Tell whether a message is one of these."""
    return message is not None and (message.nonce or "").startswith(FORGED)
