"""Applications of projects that tests make: each is called `jobs`, as the example's is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lanework.local.application import load_app

if TYPE_CHECKING:
    import pytest

    from lanework import App
    from lanework.local import Project

MODULE = "jobs"


def application_of(project: Project, monkeypatch: pytest.MonkeyPatch) -> App:
    """Import a project's application as if no other of that name had been imported; for this test only."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, MODULE, None)  # gone after the test, or as it was before
    for name in [one for one in sys.modules if one.partition(".")[0] == MODULE]:
        monkeypatch.delitem(sys.modules, name)
    return load_app(project)
