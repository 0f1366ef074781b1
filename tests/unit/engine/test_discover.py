"""`App.discover`: an application made of the families that lie in a package."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lanework import App
from lanework.errors import DeclarationError, ImportFailedError

FAMILY = """
from pydantic import BaseModel
from lanework import Jobs

class Order(BaseModel):
    id: int = 0

{name} = Jobs(queue="{name}")

@{name}.job("{name}.do")
def do(order: Order) -> None: ...
"""

_numbers = itertools.count()

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a package's modules; return its name, which no other test has."""
    package = f"shop{next(_numbers)}"
    monkeypatch.syspath_prepend(tmp_path)

    def written(**modules: str) -> str:
        for name, code in {"__init__": "", **modules}.items():
            file = tmp_path / package / f"{name.replace('.', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code.replace("SHOP", package))
        return package

    return written


def types_of(app: App) -> list[str]:
    return [one.name for one in app.registry.types if not one.name.startswith("lanework.")]


def test_the_families_of_all_modules_are_found_each_once(write: Write) -> None:
    mail = FAMILY.format(name="mail")
    package = write(
        mail=mail, **{"pay.__init__": "from SHOP.mail import mail", "pay.cards": FAMILY.format(name="cards")}
    )

    app = App.discover(package)

    assert types_of(app) == ["cards.do", "mail.do"]
    assert sys.modules[f"{package}.mail"].mail.app_for("mail.do") is app


def test_an_application_may_discover_the_package_that_it_stands_in(write: Write) -> None:
    package = write(__init__="from lanework import App\napp = App.discover(__name__)", mail=FAMILY.format(name="mail"))

    assert types_of(App.discover(package)) == types_of(sys.modules[package].app) == ["mail.do"]


def test_a_single_module_will_do(write: Write) -> None:
    assert types_of(App.discover(f"{write(mail=FAMILY.format(name='mail'))}.mail")) == ["mail.do"]


def test_what_is_run_by_its_name_is_not_imported(write: Write) -> None:
    package = write(mail=FAMILY.format(name="mail"), __main__="raise SystemExit(3)")

    assert types_of(App.discover(package)) == ["mail.do"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "import json\nimport surely_not_there\n",
            r"/pay\.py:2: ModuleNotFoundError: No module named 'surely_not_there'",
        ),
        ("import json\njson.loads('{')\n", r"/pay\.py:2: JSONDecodeError: Expecting property name"),
        ("x = 1\ndef f(:\n", r"/pay\.py:2: invalid syntax"),
        ("raise SystemExit(3)\n", r"/pay\.py:1: SystemExit: 3"),
    ],
)
def test_a_module_that_can_not_be_imported_is_named_with_the_line(write: Write, code: str, said: str) -> None:
    package = write(pay=code)

    with pytest.raises(ImportFailedError, match=rf"^can't import {package}\.pay: .*{said}") as told:
        App.discover(package)
    assert "\n" not in str(told.value)
    assert ("pay.py" in told.value.trace) is ("invalid syntax" not in said)


def test_a_package_that_is_not_there_is_named(write: Write) -> None:
    package = write()

    with pytest.raises(ImportFailedError, match=rf"can't import {package}\.jobs: .*No module named '{package}\.jobs'"):
        App.discover(f"{package}.jobs")


def test_a_package_without_a_family_is_told_what_to_write(write: Write) -> None:
    package = write(mail="")

    with pytest.raises(
        DeclarationError, match=rf"no family of jobs in '{package}' or below: write one, such as mail ="
    ):
        App.discover(package)
