"""Five repositories of people who had code before they had Lanework, as small as they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SRC_LAYOUT = {
    "pyproject.toml": '[project]\nname = "web-shop"\nversion = "1"\ndependencies = ["python-slugify>=8"]\n',
    ".gitignore": ".venv/\n",
    "src/web_shop/__init__.py": "",
    "src/web_shop/prices.py": "from slugify import slugify\n\nLABEL = slugify('A price')\n",
    "tests/test_prices.py": "",
}
"""No jobs yet; a dependency."""

FLAT_LAYOUT = {
    "requirements.txt": "python-slugify==8.0.4\n",
    "shop/__init__.py": "",
    "shop/tasks/__init__.py": "from lanework import App\n\nqueue = App.discover(__name__)\n",
    "shop/tasks/mail.py": """
from pydantic import BaseModel
from slugify import slugify

from lanework import Jobs

greetings = Jobs(queue="greetings")


class Greeting(BaseModel):
    name: str


@greetings.job("greeting.send")
def greet(greeting: Greeting) -> str:
    return f"Hello, {slugify(greeting.name)}!"
""",
    "tests/__init__.py": "",
    "setup.py": "raise SystemExit('not to be imported')\n",
}
"""Its jobs are there, and are discovered; a requirements.txt, no pyproject.toml."""

_OF_RATES = {
    "rates/__init__.py": "def worth(name: str) -> str:\n    return f'Hello, {name}!'\n",
}

_WITH_RATES = FLAT_LAYOUT["shop/tasks/mail.py"].replace("slugify import slugify", "rates import worth")
_WITH_RATES += "\n\nfrom lanework import App  # noqa: E402\n\napp = App(greetings)\n"
_WITH_RATES = _WITH_RATES.replace('f"Hello, {slugify(greeting.name)}!"', "worth(greeting.name)")

UV_WORKSPACE = {
    "pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
    "packages/shop/pyproject.toml": """
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["lanework", "rates"]

[tool.uv.sources]
rates = { workspace = true }

[build-system]
requires = ["uv_build>=0.7"]
build-backend = "uv_build"
""",
    "packages/shop/src/shop/__init__.py": "",
    "packages/shop/src/shop/tasks.py": _WITH_RATES,
    "packages/rates/pyproject.toml": """
[project]
name = "rates"
version = "1"
requires-python = ">=3.11"
dependencies = ["python-slugify>=8"]

[build-system]
requires = ["uv_build>=0.7"]
build-backend = "uv_build"
""",
    **{f"packages/rates/src/{name}": text for name, text in _OF_RATES.items()},
}
"""A member that needs another."""

POETRY_MONOREPO = {
    "shop/pyproject.toml": """
[tool.poetry]
name = "shop"
version = "1"
description = ""
authors = []

[tool.poetry.dependencies]
python = "^3.11"
rates = { path = "../rates", develop = true }

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
""",
    "shop/shop/__init__.py": "",
    "shop/shop/tasks.py": UV_WORKSPACE["packages/shop/src/shop/tasks.py"],
    "rates/pyproject.toml": '[tool.poetry]\nname = "rates"\nversion = "1"\n[tool.poetry.dependencies]\n'
    'python = "^3.11"\npython-slugify = "^8.0"\n',
    **{f"rates/{name}": text for name, text in _OF_RATES.items()},
}
"""A package that depends on its neighbour by path."""

DJANGO = {
    "manage.py": "import os\n\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'website.settings')\n",
    "requirements.txt": "django>=5.1\n",
    "website/__init__.py": "",
    "website/settings.py": "SECRET_KEY = 'none'\nUSE_TZ = True\nINSTALLED_APPS = ['orders']\n",
    "orders/__init__.py": "",
    "orders/models.py": """
from django.db import models


class Order(models.Model):
    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"Hello, {self.name}!"
""",
}
"""Two packages beside manage.py, and a model that a job is to use."""


def write(root: Path, files: dict[str, str]) -> None:
    """Write a repository's files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
