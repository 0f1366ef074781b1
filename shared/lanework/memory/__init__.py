"""The ports in memory, for the engine's own proof and for unit tests of jobs; tests/contract holds them too."""

from lanework.memory.flags import MemoryFlags
from lanework.memory.lanes import MemoryLanes
from lanework.memory.ledger import MemoryLedger
from lanework.memory.limits import MemoryLimits
from lanework.memory.schedules import MemoryScheduler, MemorySchedules
from lanework.memory.statistics import MemoryStatistics
from lanework.memory.workflows import MemoryWorkflows

__all__ = [
    "MemoryFlags",
    "MemoryLanes",
    "MemoryLedger",
    "MemoryLimits",
    "MemoryScheduler",
    "MemorySchedules",
    "MemoryStatistics",
    "MemoryWorkflows",
]
