"""Cleaning up removes what has expired, page by page, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from jobs import app as example
from jobs.cleanup import ExpiredTokens, delete_expired_tokens
from jobs.cleanup.tokens import PAGE_SIZE
from jobs.store import Token
from lanework import State
from lanework.testing import Clock, Notes, a_run, app_in_memory, start_schedules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanework import Run

NOON = datetime(2025, 12, 19, 12, 0, tzinfo=UTC)


class TokensInMemory:
    """Keeps tokens, and the sizes of the pages that were deleted."""

    def __init__(self, *tokens: Token) -> None:
        self.tokens = list(tokens)
        self.pages: list[int] = []

    def add_token(self, token: Token) -> None:
        self.tokens.append(token)

    def expired_tokens(self, kind: str, *, now: datetime, page_size: int) -> Iterator[Sequence[Token]]:
        expired = [one for one in self.tokens if one.kind == kind and one.expires_at <= now]
        for first in range(0, len(expired), page_size):
            yield expired[first : first + page_size]

    def delete_tokens(self, tokens: Sequence[Token]) -> None:
        self.pages.append(len(tokens))
        self.tokens = [one for one in self.tokens if one not in tokens]


def a_token(number: int = 1, *, kind: str = "otp", age: timedelta = timedelta(seconds=1)) -> Token:
    return Token(kind=kind, id=f"t{number}", expires_at=NOON - age)


def clean(store: TokensInMemory, which: ExpiredTokens | None = None, run: Run | None = None) -> int:
    return delete_expired_tokens(which or ExpiredTokens(), run or a_run(), store=lambda: store, now=lambda: NOON)


def test_only_expired_tokens_of_every_kind_are_deleted() -> None:
    valid = a_token(3, age=timedelta(seconds=-1))
    store = TokensInMemory(a_token(1), a_token(2, kind="session", age=timedelta(0)), valid)

    assert (2, [valid]) == (clean(store), store.tokens)


def test_a_second_run_finds_nothing_left_to_delete() -> None:
    store = TokensInMemory(a_token())

    assert [1, 0] == [clean(store), clean(store)]


def test_many_tokens_go_in_bounded_pages() -> None:
    store = TokensInMemory(*(a_token(number) for number in range(2 * PAGE_SIZE + 1)))

    assert (2 * PAGE_SIZE + 1, [PAGE_SIZE, PAGE_SIZE, 1]) == (clean(store), store.pages)


def test_each_page_is_reported() -> None:
    progress = Notes()
    clean(TokensInMemory(a_token(1), a_token(2, kind="session")), run=a_run(notes=progress))

    assert [(0, "1 deleted, now otp"), (75, "2 deleted, now session")] == progress.said


def test_kinds_that_were_not_asked_for_stay() -> None:
    session = a_token(2, kind="session")
    store = TokensInMemory(a_token(1), session)

    assert (1, [session]) == (clean(store, ExpiredTokens(kinds=("otp",))), store.tokens)


@pytest.mark.parametrize("kinds", [["otpp"], []])
def test_an_unknown_kind_or_none_is_refused(kinds: list[str]) -> None:
    with pytest.raises(ValidationError):
        ExpiredTokens.model_validate({"kinds": kinds})


def test_expired_tokens_are_removed_at_two_each_night() -> None:
    clock = Clock()
    app = app_in_memory(example, clock)
    start_schedules(app)
    clock.advance(timedelta(hours=14))

    start_schedules(app)

    assert app.get("cleanup.expired-tokens@2026-01-03T02:00Z").state is State.QUEUED
