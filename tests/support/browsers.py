"""A browser without a screen: logs in, and presses the buttons of a page's forms."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin

from lanework.http.auth.tokens import Role
from tests.support.gateway import FORM, TOKENS, a_form

if TYPE_CHECKING:
    from tests.support.gateway import Answer, Client

BROWSER = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Site": "same-origin"}


def logged_in(api: Client, role: Role = Role.ADMIN, *, token: str | None = None) -> Client:
    """Return a browser with a session, of a token of its own or of a role's."""
    answer = api.as_(None).send("POST", "/login", a_form(token=token or TOKENS[role]), {**BROWSER, **FORM})
    assert answer.status == 303
    browser = api.as_(None)
    browser.headers |= {**BROWSER, "Cookie": answer.cookies[0].partition(";")[0]}
    return browser


def csrf_of(browser: Client) -> str:
    """Return the CSRF token that a page's form carries."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', browser.get("/docs").text)
    assert found is not None
    return found[1]


def press(browser: Client, path: str, label: str, *, page: Answer | None = None, tick: tuple[str, ...] = ()) -> Answer:
    """
    Send the form of a page's first button that says this.

    Args:
        browser: Whose session.
        path: Where the page is.
        label: What the button says.
        page: The page, where it is an action's answer; otherwise it is asked for.
        tick: Values of the boxes that are ticked first.
    """
    text = (page or browser.get(path)).text
    forms = re.findall(r'<form [^>]*method="post" action="(.*?)">(.*?)</form>', text, re.DOTALL)
    for action, inside in forms:
        for attributes in re.findall(rf"<button([^>]*)>{re.escape(label)}</button>", inside):
            given = [
                (_of("name", one), _of("value", one))
                for one in (*re.findall(r"<input([^>]*)>", inside), attributes)
                if 'type="hidden"' in one or _of("value", one) in tick or one == attributes
            ]
            body = urlencode([(name, value) for name, value in given if name]).encode()
            return browser.send("POST", urljoin(path, action), body, FORM)
    message = f"no button says {label!r}: {re.findall('<button.*?</button>', text)}"
    raise AssertionError(message)


def _of(attribute: str, tag: str) -> str:
    found = re.search(rf' {attribute}="(.*?)"', tag)
    return "" if found is None else unescape(found[1])
