"""Takes the pictures of the dashboard that the docs show: `make pictures`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.scene import a_scene
from tests.support.browser import Stage, Visitor, chromium, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}

PICTURES = {
    "overview": ("", WIDE, "light"),
    "overview-dark": ("", WIDE, "dark"),
    "overview-phone": ("", PHONE, "light"),
    "jobs": ("jobs", WIDE, "light"),
    "job-dark": ("jobs/notification-dead-3", WIDE, "dark"),
    "dead-letters": ("dead", WIDE, "light"),
    "dead-letters-phone": ("dead", PHONE, "dark"),
    "workflow": ("workflows/year-2025", WIDE, "light"),
    "schedules": ("schedules", WIDE, "light"),
    "cost": ("cost", WIDE, "light"),
    "limits-dark": ("limits", WIDE, "dark"),
}


def main(folder: Path) -> None:
    """Take each picture."""
    folder.mkdir(exist_ok=True)
    with serving() as server, chromium() as browser:
        stage = Stage(server, a_scene(is_counted=True))
        stage.set(stage.app)
        for name in PICTURES:
            _take(name, browser, stage, folder)


def _take(name: str, browser: Browser, stage: Stage, folder: Path) -> None:
    path, size, scheme = PICTURES[name]
    context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    visitor = Visitor(context.new_page(), stage)
    visitor.log_in()
    visitor.open(path).screenshot(path=folder / f"{name}.png")
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
