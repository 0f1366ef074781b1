"""Imports modules and says in one line what is wrong with the first that fails. Run as a script by `trial`."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

LANEWORK = str(Path(__file__).parents[2])

if __name__ == "__main__":
    for name in sys.argv[1:]:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - a module may raise anything, SystemExit too
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
            summary = " ".join(str(error).split())
            if type(error).__module__.startswith("lanework.errors"):  # it says what to write; the line is the caller's
                frames = [frame for frame in frames if not frame.filename.startswith(LANEWORK)]
            else:
                summary = f"{type(error).__name__}: {summary}"
            where = f"{frames[-1].filename}:{frames[-1].lineno}: " if len(frames) > 1 else ""
            sys.exit(f"{where}{summary}")
