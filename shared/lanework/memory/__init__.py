"""The ports in memory, for the engine's own proof and for unit tests of jobs; tests/contract holds them too."""

from lanework.memory.flags import MemoryFlags
from lanework.memory.lanes import MemoryLanes, Received
from lanework.memory.ledger import MemoryLedger

__all__ = ["MemoryFlags", "MemoryLanes", "MemoryLedger", "Received"]
