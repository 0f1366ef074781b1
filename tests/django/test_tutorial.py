"""The tutorial of docs/django.md, typed as it stands there: a mail leaves a Lambda function of the embedded stack."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from lanework.local.emulator.process import wait_for
from tests.support.ports import free_port
from tests.unit.docs.pages import Block, blocks_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = "docs/django.md"
SOON: Final = timedelta(seconds=120)
SMTP: Final = "1025"

_HEAD: Final = re.compile(r"# (\S+\.py)(, at its end)?\n")

pytestmark = pytest.mark.timeout(300)


class Reader:
    """
    Somebody who types a page.

    Attributes:
        folder: An empty one, to begin with.
        smtp: The port that the page's mail server has here.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.smtp = folder, str(free_port())
        mine = {one: value for one, value in os.environ.items() if not one.startswith(("AWS_", "LANEWORK_", "DJANGO_"))}
        path = f"{Path(sys.executable).parent}:{mine['PATH']}"
        self._environment = {**mine, "PATH": path, "HOME": str(home), "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
        self._started = 0

    def write(self, block: Block) -> None:
        """Write what a block of Python is to be in: its first line says the file."""
        found = _HEAD.match(block.text)
        assert found is not None, f"{block} doesn't say its file"
        with (self.folder / found[1]).open("a" if found[2] else "w") as file:
            file.write("\n" + block.text.replace(SMTP, self.smtp))

    def type(self, line: str, undo: ExitStack) -> str:
        """Type a command; of one that ends with &, wait until it is ready. Return what it says."""
        command = line.replace(SMTP, self.smtp)
        if command.endswith(" &"):
            return str(undo.enter_context(self._running(command.removesuffix(" &"))))
        done = subprocess.run(command, **self._as_typed(subprocess.PIPE), check=False, timeout=SOON.total_seconds())
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return str(done.stdout)

    @contextmanager
    def _running(self, command: str) -> Iterator[Path]:
        self._started += 1
        said = self.folder.parent / f"{self._started}.out"
        with said.open("w") as file:
            process = subprocess.Popen(command, **self._as_typed(file), start_new_session=True)
        try:
            ready = "up at" if command.startswith("lanework") else ""
            wait_for(lambda: process.poll() is not None or ready in said.read_text(), within=SOON, what=command)
            assert process.poll() is None, said.read_text()
            yield said
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            process.wait(SOON.total_seconds())

    def _as_typed(self, output: Any) -> dict[str, Any]:
        where = {"cwd": self.folder, "env": self._environment, "shell": True, "executable": shutil.which("bash")}
        return {**where, "stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT, "text": True}


def test_the_tutorial_ends_with_a_mail(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "home").mkdir()
    reader = Reader(tmp_path / "site", tmp_path / "home")
    end = text_of(PAGE)[: text_of(PAGE).index("## Tasks\n")].count("\n")
    with ExitStack() as undo:
        said = {
            line: reader.type(line, undo) if not line.startswith("pip ") else ""
            for block in blocks_of(PAGE)
            for line in lines_of(block, reader, is_tutorial=block.line < end)
        }
        mails = Path(next(said[line] for line in said if line.startswith("python -m aiosmtpd")))
        wait_for(lambda: "Good to have you here." in mails.read_text(), within=SOON, what="the mail")
        assert "To: anu@example.com" in mails.read_text()

        def listed() -> str:
            return reader.type("python manage.py lanework list", undo)

        wait_for(lambda: listed().count("completed") == 2, within=SOON, what="both jobs")
        assert "shop.tasks.welcome" in listed()
        assert "System check identified no issues" in said["python manage.py check"]
        assert "System check identified no issues" in reader.type("python manage.py check", undo)  # with all options


def lines_of(block: Block, reader: Reader, *, is_tutorial: bool) -> Iterator[str]:
    """Write a block of Python to its file; yield what is to be typed of a block of the tutorial's commands."""
    if block.language == "python":
        reader.write(block)
    elif block.language == "console" and is_tutorial:
        yield from (line.removeprefix("$ ") for line in block.text.splitlines() if line.startswith("$ "))
