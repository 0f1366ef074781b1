"""The walk of CONTRIBUTING.md through a redrive from the dashboard is what happens, function by function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from lanework import State
from lanework.model.lanes import Lane
from tests.support.browsers import csrf_of, logged_in
from tests.support.gateway import FORM
from tests.support.walks import walked, written

if TYPE_CHECKING:
    from tests.support.gateway import Answer
    from tests.support.http_shop import Shop

MOST: Final = 25


def test_a_redrive_from_the_dashboard_goes_as_it_is_written_down_in_25_calls(shop: Shop) -> None:
    shop.kill("dead-1")
    browser = logged_in(shop.api)
    form = urlencode({"csrf": csrf_of(browser), "job": "dead-1"}).encode()
    assert browser.get("/dead").status == 200  # what is made at the first use is there
    answers: list[Answer] = []

    steps = walked(
        lambda: answers.append(browser.send("POST", "/dead/redrive", form, FORM)), start="DeadLetterPages.redrive_many"
    )

    assert (answers[0].status, shop.stored("dead-1").state) == (303, State.QUEUED)
    assert shop.app.ports.lanes.counts(Lane.HIGH).waiting == 1
    assert steps == written("A redrive from the dashboard")
    assert len(steps) <= MOST
