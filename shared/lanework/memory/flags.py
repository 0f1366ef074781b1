"""The flags in memory."""

from __future__ import annotations

from lanework.engine.ports.flags import FlagSet


class MemoryFlags:
    """Implements the `Flags` port."""

    def __init__(self) -> None:
        self._set = FlagSet()
        self._bookmarks: dict[str, str] = {}

    def read(self) -> FlagSet:
        return self._set

    def pause(self, name: str) -> None:
        self._set = FlagSet(paused=self._set.paused | {name}, resumed=self._set.resumed - {name})

    def resume(self, name: str) -> None:
        self._set = FlagSet(paused=self._set.paused - {name}, resumed=self._set.resumed | {name})

    def forget(self, name: str) -> None:
        self._set = FlagSet(paused=self._set.paused, resumed=self._set.resumed - {name})

    def bookmark(self, name: str) -> str | None:
        return self._bookmarks.get(name)

    def set_bookmark(self, name: str, position: str) -> None:
        self._bookmarks[name] = position

    def move_bookmark(self, name: str, position: str, *, since: str | None) -> bool:
        if self._bookmarks.get(name) != since:
            return False
        self._bookmarks[name] = position
        return True
