"""A page renews itself every five seconds, and takes nothing away from whoever is reading or choosing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Stage, Visitor

EVERY_MS = 5_000


def open_still(visitor: Visitor, path: str) -> Page:
    """Open a page whose clock goes on only when it is told to."""
    visitor.log_in()
    visitor.page.clock.install()
    page = visitor.open(path)
    visitor.page.clock.pause_at(page.evaluate("Date.now()") + 500)
    page.wait_for_load_state("networkidle")  # a renewal under way would be the one that is waited for
    return page


def test_it_renews_itself_and_keeps_scroll_selection_focus_and_ticks(visitor: Visitor, stage: Stage) -> None:
    page = open_still(visitor, "dead")
    page.locator("a.group").first.click()
    page.get_by_label("Select notification-dead-9").check()
    page.evaluate("scrollTo(0, 180); getSelection().selectAllChildren(document.querySelector('.error pre'))")
    page.get_by_label("Select notification-dead-4").focus()
    stage.app.dead_letters.redrive_one(stage.app.dead_letters.jobs.get("notification-dead-0"))

    page.clock.run_for(EVERY_MS)

    expect(page.get_by_label("Select notification-dead-0")).to_have_count(0)
    expect(page.get_by_label("Select notification-dead-9")).to_be_checked()
    expect(page.get_by_label("Select notification-dead-4")).to_be_focused()
    expect(page.get_by_role("button", name="Redrive 1 selected…")).to_be_enabled()
    assert page.evaluate("scrollY") == 180
    assert page.evaluate("getSelection().toString().trim()").startswith("SMTPServerDisconnected")
    assert visitor.complaints == []


def test_an_open_question_stays_open(visitor: Visitor, stage: Stage) -> None:
    page = open_still(visitor, "jobs/month-2026-01")
    page.locator("summary").click()
    ledger = stage.app.ports.ledger
    page.evaluate("document.querySelector('.progress').dataset.old = ''")

    page.clock.run_for(EVERY_MS)

    expect(page.locator(".progress[data-old]")).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel it")).to_be_visible()
    assert ledger.get("month-2026-01") is not None


def test_a_server_that_does_not_answer_is_told_until_it_does(visitor: Visitor) -> None:
    page = open_still(visitor, "jobs")
    live = page.locator("#live")
    expect(live).to_have_text("Live")

    page.route("**/jobs", lambda route: route.abort())
    page.clock.run_for(EVERY_MS)
    expect(live).to_contain_text("No answer since")

    page.unroute("**/jobs")
    page.clock.run_for(EVERY_MS)
    expect(live).to_have_text("Live")


def test_a_session_that_is_over_ends_at_the_login_page(visitor: Visitor, stage: Stage) -> None:
    page = open_still(visitor, "jobs")
    visitor.page.context.clear_cookies()

    page.clock.run_for(EVERY_MS)

    expect(page).to_have_url(f"{stage.root}login")
