from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from lanework.cli.log_lines import readable
from lanework.cli.param_types import duration, moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("1.5s", 1.5), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("250ms", 0.25)],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1x", "m", "-5", "5 m", "1h x", "PT5S"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write it as 90"):
        duration(text)


def test_a_moment_is_read_with_its_offset() -> None:
    assert (
        moment("2026-12-24T18:00:00+01:00") == moment("2026-12-24T17:00:00Z") == datetime(2026, 12, 24, 17, tzinfo=UTC)
    )


@pytest.mark.parametrize(("text", "said"), [("tomorrow", "write it as 2026"), ("2026-12-24T18:00:00", "append Z")])
def test_a_time_that_could_be_any_is_refused(text: str, said: str) -> None:
    with pytest.raises(typer.BadParameter, match=said):
        moment(text)


def test_a_structured_line_is_made_readable_and_any_other_is_left_alone() -> None:
    line = '{"level":"INFO","action":"job.started","job_id":"j","job_type":"a.b","lane":"high","attempt":1}\n'

    assert readable(line) == "job.started  a.b  j  attempt=1"
    assert readable("plain text\n") == "plain text"
    assert readable('{"other": 1}') == '{"other": 1}'
    assert readable("[1]") == "[1]"
