"""Every link, anchor and path that a document names is there, and every block says what language it is in."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.unit.docs.pages import PAGES, ROOT, STARTER, blocks_of, prose_of, text_of

LANGUAGES = {"toml", "python", "console", "json", "yaml", "sh", "js", "mermaid", ""}
"""Those that a test here looks at; what has none is a picture in letters."""

_LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_DECISION = re.compile(r"(?:decisions/|decisions? |ADR )(\d{4})\b")
_PATH = re.compile(r"`((?:tests|shared|docs|infra|handlers|events|bench|localstack|\.ci)/[\w./-]+[\w/])`")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    lost = []
    for target in _LINK.findall(prose_of(page)):
        path, _, anchor = unquote(target).partition("#")
        if path.startswith(("http://", "https://", "mailto:")):
            continue
        place = (ROOT / page).parent / path if path else ROOT / page
        if not place.exists() or (anchor and place.suffix == ".md" and anchor not in _anchors(place)):
            lost.append(target)

    assert lost == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_in_code_is_there(page: str) -> None:
    folder = ROOT / Path(page).parent if page == STARTER else ROOT
    lost = {
        path
        for path in _PATH.findall(prose_of(page))
        if not ((folder / path).exists() or (ROOT / path).exists() or page in {"CHANGELOG.md", STARTER})
    }

    assert lost == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_in_a_language_that_is_looked_at(page: str) -> None:
    assert {block.language for block in blocks_of(page)} <= LANGUAGES
    assert text_of(page).count("```") == 2 * len(blocks_of(page))


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_a_placeholder(page: str) -> None:
    assert [str(block) for block in blocks_of(page) if "<!--" in block.text] == []
    assert not re.search(r"\b(TODO|FIXME|XXX|TBD|lorem ipsum)\b", text_of(page))


def test_the_readme_leads_to_every_page() -> None:
    linked = {target.partition("#")[0] for target in _LINK.findall(text_of("README.md"))}
    pages = {page for page in PAGES if page.startswith("docs/") and "decisions/" not in page}

    assert pages - linked == set()


def test_each_decision_has_a_number_of_its_own_and_each_that_is_named_is_there() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [one.name.partition("-")[0] for one in decisions]
    named = {
        number
        for folder in ("shared", "handlers", "docs", "tests")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".py", ".md"}
        for number in _DECISION.findall(file.read_text(encoding="utf-8"))
    }

    assert [number for number in numbers if numbers.count(number) > 1] == []
    assert [one.read_text(encoding="utf-8")[2:6] for one in decisions] == numbers
    assert named - set(numbers) == set()


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w -]", "", plain.lower().replace("`", "")).replace(" ", "-"))
    return found
