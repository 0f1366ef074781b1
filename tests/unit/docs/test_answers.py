"""What a page shows as an answer over HTTP is what comes; `…` stands for what differs from one to the next."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import pytest

from jobs import app
from lanework.edges.process.health import health_of
from lanework.edges.process.supervisor import Watchdog
from lanework.http.api.requests import NewJob
from lanework.testing import app_in_memory
from tests.support.gateway import a_client
from tests.unit.docs.pages import Block, blocks, blocks_of, commands_of, text_of

if TYPE_CHECKING:
    from lanework.edges.process.supervisor import Parent

OF_THE_API = [block for block in blocks("console", "sh") if "$ curl" in block.text]


def test_a_page_shows_what_the_api_answers() -> None:
    assert OF_THE_API


@pytest.mark.parametrize("block", OF_THE_API, ids=str)
def test_the_answer_that_a_page_shows_is_the_one_that_comes(block: Block) -> None:
    shown = [json.loads(line) for line in block.text.splitlines() if line.startswith(("{", "["))]
    came = [answer_to(words) for words in commands_of(block) if words[0] == "curl"]

    assert len(shown) == len(came)
    for one, other in zip(shown, came, strict=True):
        assert is_as_shown(one, other), f"{block}: {json.dumps(other)}"


def answer_to(words: list[str]) -> Any:
    """Return what the example application's API answers to a curl command."""
    (path,) = [word.removeprefix("$API") for word in words if word.startswith("$API")]
    given = list(pairwise(words))
    headers = dict(value.split(": ", 1) for flag, value in given if flag == "-H")
    body = next((value for flag, value in given if flag == "-d"), None)
    method = next((value for flag, value in given if flag == "-X"), "GET" if body is None else "POST")
    headers.pop("Authorization")
    api = a_client(app_in_memory(app))
    return api.send(method, path, None if body is None else body.encode(), headers).json


def is_as_shown(shown: Any, came: Any) -> bool:
    match shown:
        case str():
            return isinstance(came, str) and re.fullmatch(re.escape(shown).replace("…", ".+"), came) is not None
        case dict():
            return list(shown) == list(came) and all(is_as_shown(shown[name], came[name]) for name in shown)
        case list():
            return len(shown) == len(came) and all(map(is_as_shown, shown, came))
        case _:
            return bool(shown == came)


@dataclass
class OneProcess:
    is_stopping: bool = False

    def vitals(self) -> list[Watchdog]:
        return [Watchdog(pid=7, running=2, ended=400, peak_mb=81, silent_for=timedelta(seconds=0.4))]


def test_the_health_that_a_page_shows_is_what_a_worker_answers() -> None:
    (shown,) = [json.loads(block.text) for block in blocks_of("docs/worker.md") if block.language == "json"]

    assert shown == health_of(cast("Parent", OneProcess()))[1]


def test_the_guide_says_all_that_a_call_may_say() -> None:
    (sentence,) = re.findall(r"^- `POST /api/jobs` takes .*?(?=^- )", text_of("docs/api.md"), re.MULTILINE | re.DOTALL)
    fields = {field.alias for field in NewJob.model_fields.values()}

    assert set(re.findall(r"`(\w+)`", sentence)) | {"type", "payload"} == fields
