"""Every command that a document shows exists, with these options and values; docs/cli.md has every command there is."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
import typer
from botocore import xform_name
from rich.markup import render

from lanework.cli.exits import Exit
from lanework.cli.main import app
from tests.support.gateway import a_client
from tests.unit.docs.pages import (
    PAGES,
    ROOT,
    STARTER,
    Block,
    blocks,
    commands_of,
    prose_of,
    simple_commands,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.http_shop import Shop

SHELL = {
    "eval",
    "export",
    "cd",
    "mkdir",
    "set",
    "jq",
    "zcat",
    "docker",
    "sam",
    "uv",
    "pip",
    "git",
    "$EDITOR",
    "cat",
    "patch",
    "django-admin",
    "echo",
}
"""Commands of others, of which nothing here knows more than the name."""

CONSOLE = blocks("console", "sh")


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_every_command_exists_with_its_options_and_values(block: Block, shop: Shop) -> None:
    for name, *words in commands_of(block):
        program = name.rpartition("/")[2]
        if program == "lanework":
            check_lanework(words)
        elif program == "make":
            check_make(words, block.page)
        elif program == "pytest":
            assert all((ROOT / word).exists() for word in words if word.startswith("tests/"))
        elif program == "aws":
            check_aws(words)
        elif program == "curl":
            check_curl(words, shop)
        elif words[:2] == ["manage.py", "lanework"]:
            check_lanework(words[2:])
        elif program in {"python", "python3"}:
            assert words[0] in {"-m", "manage.py"}
        else:
            assert program in SHELL, f"{block}: {program}"
        check_paths(words)


@cache
def command_line() -> Any:
    """Return all commands, put together once."""
    return typer.main.get_command(app)


def texts_of(command: Any) -> Iterator[str]:
    """Yield what a command's help says, of its options and of the commands below it, too."""
    yield command.help or ""
    yield from (one.help or "" for one in command.params if hasattr(one, "help"))
    for one in getattr(command, "commands", {}).values():
        yield from texts_of(one)


def test_no_word_of_a_help_text_is_taken_for_a_colour() -> None:
    """`lanework --help` said of upgrade: "and of what  says", since [tool.lanework] was taken for markup."""
    texts = list(texts_of(command_line()))

    assert len(texts) > 100
    assert [one for one in texts if render(one).plain != one] == []


def check_lanework(words: list[str]) -> None:
    """Parse a command as the command line does; nothing runs."""
    command = command_line()
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, words
        command, words = command.commands[words[0]], words[1:]
    shown = [word.replace("…", "0") for word in words]
    assert not hasattr(command, "commands") or not shown, f"{words} is no command"
    command.make_context("lanework", shown)


def check_make(words: list[str], page: str) -> None:
    targets = [word for word in words if "=" not in word]
    folder = Path(STARTER).parent if page == STARTER else Path()
    for word in targets:
        assert word in _targets(str(folder)) | _targets("shared/lanework/starter/project"), word


@cache
def _targets(folder: str) -> frozenset[str]:
    path = ROOT / folder / "Makefile"
    return frozenset(re.findall(r"^([\w-]+):", path.read_text(), re.MULTILINE)) if path.exists() else frozenset()


def check_aws(words: list[str]) -> None:
    """Look for a service's operation, and for each option among its parameters."""
    service, operation, *options = words
    if service == "s3":
        assert operation in {"cp", "ls", "sync"}
        return
    model = _service("s3" if service == "s3api" else service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations
    shape = model.operation_model(operations[operation]).input_shape
    members = {} if shape is None else shape.members
    known = {f"--{xform_name(name, '-')}" for name in members} | {"--query", "--output", "--region", "--profile"}
    assert {word for word in options if word.startswith("--")} <= known


@cache
def _service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


def check_curl(words: list[str], shop: Shop) -> None:
    """Look for the address among the API's endpoints, and for the body's fields in what it takes."""
    (path,) = [word.removeprefix("$API") for word in words if word.startswith("$API")]
    paths = a_client(shop.app).get("/openapi.json").json["paths"]
    assert any(re.fullmatch(re.sub(r"\{.*?\}", "[^/]+", one), path) for one in paths), path


def check_paths(words: list[str]) -> None:
    for word in words:
        path = word.removeprefix("file://")
        if re.match(r"(infra|events|localstack|tests|docs)/", path):
            assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_every_command_in_a_sentence_exists_with_its_options(page: str) -> None:
    for code in re.findall(r"`((?:\.venv/bin/)?lanework [a-z][^`]*)`", prose_of(page)):
        for name, *words in simple_commands(code.replace("…", "")):
            if name.endswith("lanework"):
                check_names(words)


def check_names(words: list[str]) -> None:
    """Look for a command and its options; what stands for a value may stand there."""
    command = command_line()
    while hasattr(command, "commands") and words:
        word, *words = words
        if word.startswith("-") or word.isupper():
            break
        assert word in command.commands, word
        command = command.commands[word]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    takes_any = command.context_settings.get("ignore_unknown_options", False)
    options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert takes_any or options <= known, options - known


def test_every_target_in_a_sentence_is_one_of_make() -> None:
    for page in PAGES:
        for code in re.findall(r"`make ([a-z][\w-]*)[^`]*`", prose_of(page)):
            assert code in _targets("") | _targets("shared/lanework/starter/project"), f"{page}: make {code}"


def test_the_page_of_the_command_line_has_every_command_and_every_exit_code() -> None:
    def leaves(group: Any, words: str) -> Iterator[tuple[str, str]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from leaves(command, f"{words} {name}")
            else:
                yield f"{words} {name}", (command.help or "").strip().splitlines()[0]

    page = text_of("docs/cli.md")

    assert dict(re.findall(r"^\| `(lanework .*?)` \| (.*) \|$", page, re.MULTILINE)) == dict(
        leaves(command_line(), "lanework")
    )
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == {int(code) for code in Exit}
