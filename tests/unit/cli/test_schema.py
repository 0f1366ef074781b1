"""`lanework schema export` and `diff`, on the example application."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lanework.cli.main import main


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def lanework(*words: object) -> int:
    """Run a command, and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in words])
    return int(str(ended.value.code or 0))


def test_what_is_exported_is_what_the_code_says_and_a_change_of_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, older = tmp_path / "jobs.schema.json", tmp_path / "older.json"
    assert lanework("schema", "export", file) == 0
    assert "is written" in capsys.readouterr().err
    assert lanework("schema", "export") == 0
    assert capsys.readouterr().out == file.read_text()
    assert lanework("schema", "diff", file) == 0
    assert capsys.readouterr().out == "nothing has changed\n"

    document: Any = json.loads(file.read_text())
    document["types"]["demo.gone"] = document["types"]["demo.greet"]
    older.write_text(json.dumps(document))
    assert lanework("schema", "diff", older, file) == 1
    assert "breaking  demo.gone  is removed" in " ".join(capsys.readouterr().out.split("\n"))
    assert lanework("schema", "diff", file, older, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "breaking": 0,
        "changes": [{"type": "demo.gone", "breaking": False, "change": "is new"}],
    }


def test_what_is_no_document_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lanework("schema", "diff", tmp_path / "none.json") == 1
    assert capsys.readouterr().err.endswith("No such file or directory; `lanework schema export FILE` writes one\n")
