"""The pages of dead jobs move what they show, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from lanework import State
from tests.gateway import FORM
from tests.unit.http.browsers import csrf_of, logged_in, press

if TYPE_CHECKING:
    from tests.gateway import Client
    from tests.unit.http.conftest import Shop

SECOND = timedelta(seconds=1)


def kill_in_two_lanes(shop: Shop) -> None:
    """Have two jobs of the same error, the first in lane high, the second in low."""
    shop.app.enqueue("user.greeting", {"name": "die"}, job_id="high-1")
    shop.app.enqueue("user.greeting", {"name": "die"}, job_id="low-1", lane="low")
    shop.run()
    shop.clock.advance(SECOND)


def states(shop: Shop, *job_ids: str) -> list[State]:
    return [shop.stored(job_id).state for job_id in job_ids]


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
    assert "None of the latest deaths is of these." in page


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


@pytest.mark.parametrize("before", ["yesterday", "2026-01-02T12:00:00"])
def test_a_moment_that_makes_no_sense_is_refused(shop: Shop, before: str) -> None:
    shop.kill("job-1")
    browser = logged_in(shop.api)

    answer = browser.send("POST", "/dead/drop", f"all=1&csrf={csrf_of(browser)}&before={quote(before)}".encode(), FORM)

    assert (answer.status, states(shop, "job-1")) == (400, [State.DEAD])
