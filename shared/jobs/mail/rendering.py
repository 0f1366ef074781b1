"""Mail bodies from jinja2 templates. jinja2 costs 70 ms to load, so it loads with the first mail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

LAYOUTS = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The two renderings of one mail, with the same content."""

    text: str
    html: str


def render(folder: Path, name: str, **context: object) -> Body:
    """
    Render `<name>.txt` and `<name>.html` of a folder; the HTML one extends `layout.html`, beside this module.

    Args:
        folder: Where the templates lie.
        name: The templates' name without its ending.
        context: What the templates use. A name that they use and don't get is an error (`jinja2.UndefinedError`), and
            the HTML one escapes every value.
    """
    templates = _environment(folder)
    text, html = (templates.get_template(f"{name}.{ending}").render(context) for ending in ("txt", "html"))
    return Body(text=text, html=html)


@cache
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 - see above

    return Environment(
        loader=FileSystemLoader([folder, LAYOUTS]),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
