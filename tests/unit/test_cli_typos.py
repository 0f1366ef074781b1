"""Each command, mistyped in each way: exit code 2, a sentence on stderr that says what to type, and nothing done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import typer

from lanework.cli.exits import Exit
from lanework.cli.main import app, main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DURATIONS = ("soon", "-5m", "10x", "99999999999999999999d", "5 m", "", "١٠m")
MOMENTS = ("tomorrow", "2026-12-24T18:00:00", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "")
LANES = ("hihg", "0", "6", "", "high,low")
RATES = ("fast", "nan", "inf", "0", "-1", "1e9")
IDS = ("", "two words", "a/b", "x" * 129, "é")
PAGES = ("0", "101", "many", "1.5", "-1")
COUNTS = ("0", "-1", "many", "1.5", "9" * 30)

WRONG = {
    "--format": ("", "yaml", "sh,json"),
    "--stack": ("", "1shop", "shop_prod", "a" * 49),
    "--region": ("", "Dublin", "eu-west", "eu-west-1a"),
    "--endpoint": ("", "127.0.0.1:4566", "https://sqs.eu-west-1.amazonaws.com"),
    "--report": ("", "no-such-folder/report"),
    "--patience": ("", "0", "a minute"),
    "--lane": LANES,
    "--delay": DURATIONS,
    "--at": MOMENTS,
    "--start-by": MOMENTS,
    "--unique-for": DURATIONS,
    "--debounce": DURATIONS,
    "--on-failure": ("wiat", ""),
    "--status": ("deda", "", "failed"),
    "--late": ("huor", ""),
    "--limit": PAGES,
    "--timeout": DURATIONS,
    "--by": ("qeue", ""),
    "--older-than": DURATIONS,
    "--younger-than": DURATIONS,
    "--keep": ("-1", "all", "1.5"),
    "--port": ("0", "70000", "http"),
    "--concurrency": COUNTS[:4],
    "--processes": COUNTS,
    "--grace": DURATIONS,
    "--lease": (*DURATIONS, "2s"),
    "--max-jobs": COUNTS,
    "--max-mb": COUNTS,
    "--health": ("8080", "localhost", ":8080", "localhost:70000", "localhost:http", ""),
    "--within": DURATIONS,
    "--run-time": DURATIONS,
    "--cause": ("exausted", ""),
    "--rate": RATES,
    "--every": DURATIONS,
    "--overlap": ("allways", ""),
    "--catch-up": ("latset", ""),
    "--count": ("0", "1001", "many"),
    "--app": ("shop.jobs", "shop:", ":app", "shop jobs:app", ""),
    "--database-url": ("", "db/shop", "postgresql:shop"),
    "--table": ("", "two words", "a.b.c", "x; drop"),
    "--most": ("0", "501", "many"),
}
"""For each option what it can't be."""

WRONG_CURSORS = {("workflow", "results"): ("-1", "x")}
"""Cursors of lists that count."""

KNOWN_BY_THE_STACK = {
    "--profile",
    "--type",
    "--queue",
    "--cursor",
    "--tenant",
    "--job-id",
    "--after",
    "--correlation-id",
    "--webhook",
    "--url",
    "--payload",
    "--error",
    "--fingerprint",
    "--cron",
    "--tz",
    "--role",
    "--database-url",
    "--table",
}
"""Free text, and names that only an application, stack or database can tell: tests/integration/test_cli_typos.py."""


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with the words that call it."""

    def of(group: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from of(command, (*words, name))
            else:
                yield (*words, name), command

    return of(typer.main.get_command(app), ())


COMMANDS = dict(commands())
GROUPS = [(), *sorted({words[:1] for words in COMMANDS if len(words) > 1})]
PARTS = {
    (words, option.opts[0] if option.opts[0].startswith("--") else option.opts[-1]): option
    for words, command in COMMANDS.items()
    for option in command.params
    if option.param_type_name == "option" and option.name != "help"
}
VALUES = {place: option for place, option in PARTS.items() if not option.is_flag}
EACH = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


@pytest.fixture(name="refused")
def a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run a command where there is no stack; return what it says, which must be wrong usage, and nothing on stdout."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("LANEWORK_STACK", raising=False)

    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (Exit.USAGE, ""), said
        assert said.err.strip()
        assert list(tmp_path.iterdir()) == []
        return " ".join(said.err.split())

    return run


def arguments_of(words: tuple[str, ...]) -> list[str]:
    """Return words for the arguments and options that a command wants."""
    wanted = [one for one in COMMANDS[words].params if one.required]
    options = [word for one in wanted if one.param_type_name == "option" for word in (one.opts[0], "high")]
    return [("high" if one.metavar == "LANE" else "a-name") for one in wanted if one.param_type_name == "argument"] + (
        options
    )


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
def test_a_misspelt_command_is_refused_with_the_nearest(refused: Callable[..., str], group: tuple[str, ...]) -> None:
    for words in COMMANDS:
        if words[:-1] == group:
            typo = f"{words[-1]}x"
            said = refused(*group, typo)
            assert f"No such command '{typo}'" in said
            assert f"'{words[-1]}'" in said


@EACH
def test_an_option_that_there_is_not_is_refused(refused: Callable[..., str], words: tuple[str, ...]) -> None:
    if words != ("test",):  # which hands what it doesn't know to pytest
        assert "No such option: --nonsense" in refused(*words, *arguments_of(words), "--nonsense")


@pytest.mark.parametrize(("words", "option"), PARTS, ids=lambda one: one if isinstance(one, str) else " ".join(one))
def test_a_misspelt_option_is_refused_with_the_right_one(
    refused: Callable[..., str], words: tuple[str, ...], option: str
) -> None:
    said = refused(*words, *arguments_of(words), f"{option}x", "value")

    assert f"No such option: {option}x" in said
    assert option in said.replace(f"{option}x", "")


@EACH
def test_what_a_command_wants_is_named_when_it_is_missing(refused: Callable[..., str], words: tuple[str, ...]) -> None:
    wanted = [one for one in COMMANDS[words].params if one.required]
    given = arguments_of(words)
    if not wanted:
        assert given == []
        return
    said = refused(*words)
    first = wanted[0]
    assert f"Missing {first.param_type_name}" in said
    assert (first.metavar if first.param_type_name == "argument" else first.opts[0]) in said


@EACH
def test_a_word_too_many_is_refused(refused: Callable[..., str], words: tuple[str, ...]) -> None:
    optional = [one for one in COMMANDS[words].params if one.param_type_name == "argument" and not one.required]
    if not optional and words != ("test",):
        assert "unexpected extra argument" in refused(*words, *arguments_of(words), "surplus")


@pytest.mark.parametrize(("words", "option"), VALUES, ids=lambda one: one if isinstance(one, str) else " ".join(one))
def test_a_value_that_an_option_can_not_have_is_refused(
    refused: Callable[..., str], words: tuple[str, ...], option: str
) -> None:
    given = arguments_of(words)
    assert "requires an argument" in refused(*words, *given, option)
    wrong: tuple[str, ...]
    if option == "--cursor" and words in WRONG_CURSORS:
        wrong = WRONG_CURSORS[words]
    elif option in KNOWN_BY_THE_STACK:
        return
    else:
        wrong = WRONG[option]  # a new option is in one of the two
    for value in wrong:
        assert "Invalid value for" in refused(*words, *given, f"{option}={value}"), value


@EACH
def test_a_lane_and_an_id_that_can_not_be_are_refused_as_arguments(
    refused: Callable[..., str], words: tuple[str, ...]
) -> None:
    arguments = [one for one in COMMANDS[words].params if one.param_type_name == "argument"]
    for place, argument in enumerate(arguments):
        wrong = {"LANE": LANES, "ID": IDS, "[ID]...": IDS}.get(argument.metavar, ())
        for value in wrong:
            given = arguments_of(words)
            given[place : place + 1] = [value]
            said = refused(*words, "--", *given) if value.startswith("-") else refused(*words, *given)
            assert "Invalid value for" in said, value


def test_help_says_what_exit_codes_mean(capsys: pytest.CaptureFixture[str]) -> None:
    for group in GROUPS:
        with pytest.raises(SystemExit):
            main([*group, "--help"])
        assert "2 wrong usage" in " ".join(capsys.readouterr().out.split())
