"""Handing over to a job of Lanework's own what takes longer than the end of a run has time for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.ports.messages import OutgoingMessage
from lanework.model.job.envelope import Envelope
from lanework.model.job.ids import QUEUE_OF_OURS
from lanework.model.lanes import LANES, Lane
from lanework.model.lifecycle import run_moves

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports

QUEUE: Final = QUEUE_OF_OURS

RELEASE: Final = "lanework.release"


def release_later(parent: str, ports: Ports) -> None:
    """Have a job of Lanework's own let go what waits for a parent: more than the end of a run has time for."""
    envelope = Envelope(
        id=ports.new_id(),
        type=RELEASE,
        queue=QUEUE,
        lane=Lane.HIGH,
        payload=json.dumps({"parent": parent}),
        attempts=LANES[Lane.HIGH].attempts,
        backoff=timedelta(seconds=2),
        created_at=ports.clock(),
        nonce=ports.new_nonce(),
    )
    ports.ledger.put(run_moves.new_record(envelope))
    ports.lanes.send(envelope.lane, OutgoingMessage.of(envelope))
