"""The emulator's saved state, and what it takes to load it at another port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.local.emulator.private_files import make_private, write_private

if TYPE_CHECKING:
    from pathlib import Path


def move_state(state: Path, origin: str) -> None:
    """
    Make saved state ready to be loaded by an emulator at `origin`, and note that it is there.

    MiniStack finds queues by URLs that hold its port: loaded at another one, its workers get no messages.

    Args:
        state: The emulator's state folder; made if need be.
        origin: Scheme, host and port, such as `http://127.0.0.1:4566`.
    """
    make_private(state)
    note = state / "origin"
    before = note.read_text() if note.is_file() else origin
    if before != origin:
        for file in state.glob("*.json"):
            file.write_text(file.read_text().replace(f"{before}/", f"{origin}/"))
    write_private(note, origin)
