"""What mypy says to people who write and call jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mypy import api

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]

PRELUDE = """
from datetime import timedelta
from pydantic import BaseModel
from lanework import Batch, Jobs, Run
from lanework.testing import a_batch, a_run

class SignIn(BaseModel):
    user_id: str

class Other(BaseModel):
    n: int

email = Jobs(queue="email")

@email.job("a.plain")
def plain(signin: SignIn) -> int:
    return 1

@email.job("a.full")
def full(signin: SignIn, run: Run, *, retries: int = 2) -> str:
    return ""

@email.job("a.later")
async def later(signin: SignIn) -> bytes:
    return b""

@email.batch("a.many", size=10, within=timedelta(seconds=1))
def many(signins: Batch[SignIn, str]) -> None:
    for one in signins:
        one.complete(one.payload.user_id + str(one.run.attempt))

@email.batch("a.many-later", size=10, within=timedelta(seconds=1))
async def many_later(signins: Batch[SignIn]) -> None:
    signins[0].fail(ValueError())

SIGNIN = SignIn(user_id="1")
"""


@pytest.fixture(scope="module")
def mypy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    folder = tmp_path_factory.mktemp("typing")

    def check(code: str) -> str:
        # A name of its own for each snippet: mypy's cache takes a file of the same size and time for the same file.
        snippet = folder / f"snippet_{len(list(folder.iterdir()))}.py"
        snippet.write_text(PRELUDE + code + "\n")
        out, err, _ = api.run(
            [
                *("--config-file", str(ROOT / "pyproject.toml")),
                *("--cache-dir", str(folder / "cache")),
                *("--no-error-summary", "--hide-error-context", "--no-pretty"),
                str(snippet),
            ]
        )
        assert err == ""
        return out

    return check


def test_right_calls_are_right_and_results_have_their_types(mypy: Callable[[str], str]) -> None:
    assert (
        mypy("""
from lanework import Receipt

number: int = plain(SIGNIN)
text: str = full(SIGNIN, a_run(), retries=3)
first: Receipt[int] = plain.enqueue(SIGNIN, lane="normal")
second: Receipt[bytes] = later.enqueue(SIGNIN, lane=1)
third: list[Receipt[str]] = full.enqueue_many([SIGNIN, full.request(SIGNIN, job_id="x")])

fifth: Receipt[str] = many.enqueue(SIGNIN)
sixth: list[Receipt[None]] = many_later.enqueue_many([SIGNIN, many_later.request({"user_id": "2"})])
many(a_batch(SIGNIN, SIGNIN))

async def main() -> None:
    await many_later(a_batch(SIGNIN))
    data: bytes = await later(SIGNIN)
    fourth: Receipt[bytes] = await later.enqueue_async(SIGNIN)

from lanework import App, JobResult, Workflow, WorkflowReceipt, WorkflowState, batch, chain, group

app = App(email)
plain.enqueue(SIGNIN, after=["a", "b"], on_failure="die")
flow: Workflow = chain(plain.request(SIGNIN), full.link("user_id", lane="low"), group([later.request(SIGNIN)]))
receipt: WorkflowReceipt = app.workflows.enqueue(batch([flow], on_success=plain.request(SIGNIN)), workflow_id="w")
after_it = plain.enqueue(SIGNIN, after=[receipt.ref])
state: WorkflowState = app.workflows.get("w").record.state
results: list[JobResult] = list(app.workflows.results("w"))
added: tuple[str, ...] = app.workflows.add("w", [flow, plain.request(SIGNIN)])
""")
        == ""
    )


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("plain(Other(n=1))", 'Argument 1 to "__call__" of "Job" has incompatible type "Other"; expected "SignIn"'),
        ("plain.enqueue(Other(n=1))", 'Argument 1 to "enqueue" of "Job" has incompatible type "Other"'),
        ('plain.enqueue(SIGNIN, lane="hihg")', 'Argument "lane" to "enqueue" of "Job" has incompatible type'),
        ("plain.enqueue(SIGNIN, lane=6)", 'Argument "lane" to "enqueue" of "Job" has incompatible type'),
        ('email.job("a.b", lane="hihg")', 'Argument "lane" to "job" of "Jobs" has incompatible type'),
        ("many(SIGNIN)", 'Argument 1 to "__call__" of "BatchJob" has incompatible type "SignIn"; expected "Batch'),
        ("many.enqueue(Other(n=1))", 'Argument 1 to "enqueue" of "Job" has incompatible type "Other"'),
        ("many(a_batch(Other(n=1)))", 'Argument 1 to "a_batch" has incompatible type "Other"; expected "SignIn"'),
        ("from lanework import Receipt\nn: Receipt[int] = many.enqueue(SIGNIN)", 'expression has type "Receipt[str]"'),
        ("plain(SIGNIN, a_run())", 'Too many arguments for "__call__" of "Job"'),
        ("full(SIGNIN)", 'Missing positional argument "run" in call to "__call__" of "Job"'),
        ('full(SIGNIN, a_run(), retries="x")', 'Argument "retries" to "__call__" of "Job" has incompatible type'),
        ('plain.enqueue(SIGNIN, after=["a"], on_failure="ignore")', 'Argument "on_failure" to "enqueue" of "Job"'),
        ("plain.enqueue(SIGNIN, after=[1])", 'List item 0 has incompatible type "int"; expected "str"'),
        ("from lanework import group\ngroup([SIGNIN])", 'List item 0 has incompatible type "SignIn"'),
        ("from lanework import batch\nbatch([], on_success=plain)", 'Argument "on_success" to "batch"'),
        ("async def main() -> None:\n    later(SIGNIN)", "Value of type"),
        ("data: bytes = later(SIGNIN)", "Maybe you forgot to use"),
        ("number: str = plain(SIGNIN)", 'Incompatible types in assignment (expression has type "int"'),
    ],
)
def test_a_mistake_is_refused(mypy: Callable[[str], str], code: str, complaint: str) -> None:
    assert complaint in mypy(code)
