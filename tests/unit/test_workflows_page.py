"""The code of docs/workflows.md, run in memory as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lanework import App, State, WorkflowState
from lanework.testing import app_in_memory, drain

PAGE = Path(__file__).parents[2] / "docs" / "workflows.md"


def test_the_guides_code_does_what_the_guide_says() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(blocks[0], names)  # noqa: S102 - it is our own page
    app: App = app_in_memory(names["app"])
    for block in blocks[1:]:
        exec(block, names)  # noqa: S102
    drain(app)

    assert [app.get(one).state for one in ("both", "bottom", "visits-today.2")] == [State.COMPLETED] * 3
    done = {one: app.workflows.get(one).record.state for one in ("visits-today", "etl", "crawl", "tidy", "site")}
    assert set(done.values()) == {WorkflowState.COMPLETED}
    assert app.get("crawl.on-success").result == str(sum(len(f"https://example.com/{n}") for n in range(1_000)))
    assert app.get("tidy.on-complete").state is State.COMPLETED
    assert app.get("tidy.on-failure").state is State.CANCELLED
    assert app.workflows.get("site").counts.completed == 1 + 3 + 3  # what is found twice runs once
