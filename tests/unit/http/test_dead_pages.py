"""The pages of dead jobs move what they show, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode

import pytest

from lanework import State
from tests.support.browsers import csrf_of, logged_in, press
from tests.support.gateway import FORM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework import JobRecord
    from lanework.engine.ports.ledger import Ledger
    from tests.support.gateway import Answer, Client
    from tests.support.http_shop import Shop

SECOND = timedelta(seconds=1)


def kill_in_two_lanes(shop: Shop) -> None:
    """Have two jobs of the same error, the first in lane high, the second in low."""
    shop.app.enqueue("user.greeting", {"name": "die"}, job_id="high-1")
    shop.app.enqueue("user.greeting", {"name": "die"}, job_id="low-1", lane="low")
    shop.run()
    shop.clock.advance(SECOND)


def states(shop: Shop, *job_ids: str) -> list[State]:
    return [shop.stored(job_id).state for job_id in job_ids]


def redrive(shop: Shop, job_id: str) -> None:
    """Do what a colleague does meanwhile."""
    shop.app.dead_letters.redrive_job(job_id)


class Surprised:
    """A ledger in which something happens right after the first reading of several jobs."""

    def __init__(self, ledger: Ledger, *, after_reading: Callable[[], None]) -> None:
        self._ledger = ledger
        self._surprises = [after_reading]

    def get_many(self, job_ids: Sequence[str]) -> dict[str, JobRecord]:
        found = self._ledger.get_many(job_ids)
        if self._surprises:
            self._surprises.pop()()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


def ticks(browser: Client, *job_ids: str) -> Callable[..., bytes]:
    """Return what makes the form of a page on which these were ticked, with more of its fields."""
    csrf = csrf_of(browser)
    return lambda **fields: urlencode([("csrf", csrf), *(("job", one) for one in job_ids), *fields.items()]).encode()


def note_of(browser: Client, answer: Answer) -> str:
    """Return what the page after an action says that it did."""
    assert answer.status == 303
    cookies = "; ".join([browser.headers["Cookie"], *(one.partition(";")[0] for one in answer.cookies)])
    page = browser.send("GET", "/dead", b"", {"Cookie": cookies})
    found = re.search('id="note"[^>]*>(.*?)</p>', page.text)
    assert found is not None
    return found[1]


def asked(browser: Client, path: str, label: str, *, tick: tuple[str, ...] = ()) -> str:
    """Return the question that the page after a button asks."""
    found = re.search("<h1>(.*?)</h1>", press(browser, path, label, tick=tick).text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("label", ["Redrive all of these…", "Redrive…"])
@pytest.mark.parametrize("query", ["lane=low", "lane=low&queue=email&type=user.greeting"])
def test_what_a_filtered_list_redrives_is_what_it_shows(shop: Shop, query: str, label: str) -> None:
    kill_in_two_lanes(shop)
    browser = logged_in(shop.api)

    plan = press(browser, f"/dead?{query}", label)
    assert "lane low" in plan.text
    assert press(browser, "/dead/plan", "Redrive 1 dead job", page=plan).status == 303

    assert states(shop, "high-1", "low-1") == [State.DEAD, State.QUEUED]


def test_a_filter_goes_along_to_the_jobs_of_an_error(shop: Shop) -> None:
    kill_in_two_lanes(shop)
    browser = logged_in(shop.api)
    link = re.search(r'class="group" href="\.?/?(dead/.*?)"', browser.get("/dead?lane=low").text)
    assert link is not None
    path = f"/{link[1]}"

    page = browser.get(path).text

    assert ("low-1" in page, "high-1" in page) == (True, False)
    assert asked(browser, path, "Redrive all of them…") == "Redrive 1 dead job?"


def test_a_type_filter_shows_its_type_even_if_no_code_knows_it_any_more(shop: Shop) -> None:
    page = logged_in(shop.api).get("/dead?type=user.goodbye").text

    assert "<option selected>user.goodbye</option>" in page
    assert "No dead job matches." in page


def test_all_of_an_error_are_all_of_them_whatever_is_ticked(shop: Shop) -> None:
    shop.kill("job-1", "job-2", "job-3")
    browser = logged_in(shop.api)
    path = "/" + re.findall(r'href="\.?/?(dead/[0-9a-f]+)"', browser.get("/dead").text)[0]

    assert asked(browser, path, "Redrive all of them…", tick=("job-2",)) == "Redrive 3 dead jobs?"
    assert asked(browser, path, "Drop selected…", tick=("job-2",)) == "Drop 1 dead job?"


def test_what_dies_while_the_question_is_open_is_not_dropped(shop: Shop) -> None:
    shop.kill("job-1", "job-2")
    shop.clock.advance(SECOND)
    browser = logged_in(shop.api)
    plan = press(browser, "/dead", "Drop…")
    shop.clock.advance(SECOND)
    shop.kill("job-3")

    press(browser, "/dead/plan", "Drop 2 dead jobs", page=plan)

    assert states(shop, "job-1", "job-2", "job-3") == [State.CANCELLED, State.CANCELLED, State.DEAD]


@pytest.mark.parametrize(("label", "ends"), [("Redrive", State.QUEUED), ("Drop", State.CANCELLED)])
def test_ticked_jobs_that_others_did_not_move_are_moved_and_the_rest_is_named(
    shop: Shop, label: str, ends: State
) -> None:
    shop.kill("job-1", "job-2", "job-3")
    shop.clock.advance(SECOND)
    browser = logged_in(shop.api)
    ticked = ticks(browser, "job-1", "job-2", "job-3")
    redrive(shop, "job-1")

    plan = browser.send("POST", "/dead/plan", ticked(action=label.lower()), FORM)
    assert f"<h1>{label} 2 dead jobs?</h1>" in plan.text
    assert "Not changed: job-1 (queued)." in plan.text
    redrive(shop, "job-2")
    answer = press(browser, "/dead/plan", f"{label} 2 dead jobs", page=plan)

    done = {"Redrive": "Redriven", "Drop": "Dropped"}[label]
    assert note_of(browser, answer) == f"{done}: 1 job. Not changed: job-2 (queued)."
    assert states(shop, "job-1", "job-2", "job-3") == [State.QUEUED, State.QUEUED, ends]
    assert [shop.stored(job_id).life for job_id in ("job-1", "job-2")] == [2, 2]


def test_a_ticked_job_that_died_again_or_is_gone_is_left_and_named(shop: Shop) -> None:
    shop.kill("job-1", "job-2")
    shop.clock.advance(SECOND)
    browser = logged_in(shop.api)
    plan = browser.send("POST", "/dead/plan", ticks(browser, "job-1", "job-2", "job-9")(action="drop"), FORM)
    assert "Not changed: job-9 (not found)." in plan.text
    shop.clock.advance(SECOND)
    redrive(shop, "job-1")
    shop.run()

    answer = press(browser, "/dead/plan", "Drop 2 dead jobs", page=plan)

    assert note_of(browser, answer) == "Dropped: 1 job. Not changed: job-1 (died again meanwhile)."
    assert states(shop, "job-1", "job-2") == [State.DEAD, State.CANCELLED]


def test_a_job_that_somebody_moves_at_the_same_moment_is_named(shop: Shop) -> None:
    shop.kill("job-1", "job-2")
    browser = logged_in(shop.api)
    ticked, ports = ticks(browser, "job-1", "job-2"), shop.app.ports
    ledger = Surprised(ports.ledger, after_reading=lambda: redrive(shop, "job-1"))
    shop.app.use(replace(ports, ledger=cast("Ledger", ledger)))

    answer = browser.send("POST", "/dead/drop", ticked(), FORM)

    assert note_of(browser, answer) == "Dropped: 1 job. Not changed: job-1 (already redriven or dropped)."
    assert states(shop, "job-1", "job-2") == [State.QUEUED, State.CANCELLED]


@pytest.mark.parametrize("path", ["/dead/plan", "/dead/redrive", "/dead/drop"])
def test_where_others_moved_every_ticked_job_nothing_is_changed_and_it_is_told(shop: Shop, path: str) -> None:
    shop.kill("job-1")
    browser = logged_in(shop.api)
    ticked = ticks(browser, "job-1")
    redrive(shop, "job-1")

    answer = browser.send("POST", path, ticked(), FORM)

    assert note_of(browser, answer) == "Nothing was changed. Not changed: job-1 (queued)."
    assert (shop.stored("job-1").state, shop.stored("job-1").life) == (State.QUEUED, 2)


def test_a_ticked_job_that_can_not_be_sent_is_named_with_its_cause(shop: Shop) -> None:
    shop.kill("job-1", "job-2")
    browser = logged_in(shop.api)
    ticked = ticks(browser, "job-1", "job-2")
    ledger: Any = shop.app.ports.ledger
    ledger.records["job-1"] = replace(ledger.records["job-1"], max_attempts=0)

    answer = browser.send("POST", "/dead/redrive", ticked(), FORM)

    assert note_of(browser, answer).startswith("Redriven: 1 job. Not changed: job-1 (not sendable: ")


def test_a_job_that_redrives_the_ticked_ones_is_told_with_what_it_leaves(shop: Shop) -> None:
    shop.kill("job-1", "job-2")
    browser = logged_in(shop.api)
    ticked = ticks(browser, "job-1", "job-2")
    redrive(shop, "job-1")

    answer = browser.send("POST", "/dead/redrive", ticked(canary="1"), FORM)

    assert note_of(browser, answer).startswith("This job redrives 1 dead job;")
    assert note_of(browser, answer).endswith("Not changed: job-1 (queued).")


def test_a_note_names_no_more_jobs_than_a_cookie_holds(shop: Shop) -> None:
    names = [f"{'x' * 124}-{number:03}" for number in range(50)]
    browser = logged_in(shop.api)

    answer = browser.send("POST", "/dead/drop", ticks(browser, *names)(), FORM)

    assert len(answer.cookies[0].encode()) < 4_096
    assert note_of(browser, answer).endswith("-007 (not found), and 42 more.")


@pytest.mark.parametrize("before", ["yesterday", "2026-01-02T12:00:00"])
def test_a_moment_that_makes_no_sense_is_refused(shop: Shop, before: str) -> None:
    shop.kill("job-1")
    browser = logged_in(shop.api)

    answer = browser.send("POST", "/dead/drop", f"all=1&csrf={csrf_of(browser)}&before={quote(before)}".encode(), FORM)

    assert (answer.status, states(shop, "job-1")) == (400, [State.DEAD])
