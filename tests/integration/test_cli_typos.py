"""Names and values that only the application or the stack can tell to be wrong: exit code 2, the nearest, no change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs import app as example
from lanework.cli.exits import Exit
from lanework.cli.main import main
from tests.support.commands import run

if TYPE_CHECKING:
    from collections.abc import Callable

TYPOS = (
    ("list --type demo.gret", "did you mean 'demo.greet'?"),
    ("list --queue dmo --status queued", "unknown queue 'dmo'"),
    ("list --cursor yesterday", "cursor 'yesterday' is not one"),
    ("list --status dead --cursor 2026-01-01|", "is not one"),
    ("list --late hour --cursor 2026-01-01|", "is not one"),
    ("webhooks list --cursor yesterday", "cursor 'yesterday' is not one"),
    ("dlq list --type demo.gret", "did you mean 'demo.greet'?"),
    ("dlq list --queue dmo --group", "unknown queue 'dmo'"),
    ("dlq list --cursor yesterday", "cursor 'yesterday' is not one"),
    ("dlq list --older-than 2h --younger-than 1h", "--older-than must be shorter"),
    ("dlq redrive --type demo.gret --yes", "did you mean 'demo.greet'?"),
    ("dlq redrive", "no jobs are selected"),
    ("dlq redrive greet-1 --all", "exclude each other"),
    ("dlq redrive --native", "--native moves all tickets of one lane"),
    ("dlq redrive --native --lane high --rate 0.5", "a whole number"),
    ("dlq redrive a b --payload {}", "exactly one job"),
    ("dlq drop --queue dmo --yes", "unknown queue 'dmo'"),
    ("dlq drop", "no jobs are selected"),
    ("clean", "no jobs are selected"),
    ("clean --keep 0 --queue dmo", "unknown queue 'dmo'"),
    ("pause --type demo.gret", "did you mean 'demo.greet'?"),
    ("pause --queue dmo", "unknown queue 'dmo'"),
    ("pause --lane low --queue demo", "name one lane, one queue or one job type"),
    ("resume --type demo.gret", "did you mean 'demo.greet'?"),
    ("resume", "name one lane, one queue or one job type"),
    ("enqueue demo.gret", "did you mean 'demo.greet'?"),
    ("enqueue demo.greet --payload {", "JSON"),
    ("enqueue demo.greet --payload @missing.json", "can't read the payload"),
    ('enqueue user.otp --payload {"emial":"bat@example.com"}', "email"),
    ("enqueue demo.greet --job-id a/b", "job_id 'a/b' can't be used"),
    ("enqueue demo.greet --tenant two\u00a0words", "tenant"),
    ("enqueue demo.greet --after a/b", "a/b"),
    ("enqueue demo.greet --webhook nowhere", "https://"),
    ("enqueue demo.greet --delay 1m --at 2035-01-01T00:00:00Z", "give one of them"),
    ("enqueue demo.greet --delay 9000d", "delay"),
    ("signal greet-1 approved --payload {", "not JSON"),
    ("reschedule greet-1 --at 2035-01-01T00:00:00Z --delay 1m", "not both"),
    ("schedules add hello demo.gret --cron 0_9_*_*_*", "did you mean 'demo.greet'?"),
    ("schedules add Hello demo.greet --every 1h", "Hello"),
    ("schedules add hello demo.greet", "cron"),
    ("schedules add hello demo.greet --cron often", "often"),
    ("schedules add hello demo.greet --cron 0_9_*_*_* --tz Asia/Ulanbaatar", "did you mean 'Asia/Ulaanbaatar'"),
    ("schedules add hello demo.greet --every 90s", "minute"),
    ("schedules pause cleanup.expired-tokns", "did you mean"),
    ("schedules resume nothing", "unknown schedule 'nothing'"),
    ("schedules run nothing", "unknown schedule 'nothing'"),
    ("schedules next nothing", "unknown schedule 'nothing'"),
    ("schedules remove nothing", "unknown schedule 'nothing'"),
    ("doctor --template --stack other", "leave out --stack"),
    ("scaling batch", "--within"),
    ("token new --role amdin", "did you mean 'admin'?"),
    ("dev --once", "--worker"),
)

FAILURES = (
    ("get nobody", "no job 'nobody'"),
    ("log nobody", "no job 'nobody'"),
    ("cancel nobody", "no job 'nobody'"),
    ("tail nobody", "no job 'nobody'"),
    ("reschedule nobody", "no job 'nobody'"),
    ("signal nobody approved", "no job 'nobody'"),
    ("dlq show nobody", "no job 'nobody'"),
    ("dlq show greet-1", "greet-1"),
    ("dlq redrive --cause crashed --yes", "no job is dead"),
    ("dlq list --fingerprint 0123", "no job is dead"),
    ("workflow show nothing", "no workflow 'nothing'"),
    ("workflow results nothing", "no workflow 'nothing'"),
    ("workflow cancel nothing --yes", "no workflow 'nothing'"),
    ("workflow retry nothing", "no workflow 'nothing'"),
    ("webhooks redeliver nobody", "no job 'nobody'"),
)


@pytest.mark.usefixtures("stack")
def test_a_typo_is_wrong_usage_what_is_not_there_a_failure_and_neither_changes_anything(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    run("enqueue", "demo.greet", "--job-id", "greet-1")
    before = _everything()
    wrong = []
    for expected, cases in ((Exit.USAGE, TYPOS), (Exit.FAILED, FAILURES)):
        for line, hint in cases:
            capsys.readouterr()
            code = _code(main, [word.replace("_", " ") for word in line.split(" ")])
            said = capsys.readouterr()
            if code != expected or hint not in " ".join(said.err.split()) or "Traceback" in said.err:
                wrong.append((line, code, said.out + said.err))

    assert "\n".join(map(str, wrong)) == ""
    assert _everything() == before


def _code(command: Callable[[list[str]], None], words: list[str]) -> object:
    try:
        command(words)
    except SystemExit as ended:
        return ended.code
    return Exit.OK


def _everything() -> object:
    """Return what a command could change."""
    ports = example.ports
    return (
        [(one.job_id, one.state, one.run_at) for one in example.runtime.search.newest(limit=100).jobs],
        ports.flags.read().paused,
        ports.schedules.all(),
    )
