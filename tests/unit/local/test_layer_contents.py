"""What is taken out of a layer is imported by nothing that stays in it, not even at the first call of a function."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.local.deployment.layer_contents import Layer, read_asked

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PACKAGES = ("lanework", "aws_lambda_powertools", "pydantic", "cronsim", "ulid", "annotated_types", "pynamodb", "jinja2")

_SCHEMAS = "aws_lambda_powertools/event_handler/middlewares/schema_validation.py"
FOR_OTHERS = {
    (_SCHEMAS, "aws_lambda_powertools.utilities.validation"),
    (_SCHEMAS, "aws_lambda_powertools.utilities.validation.exceptions"),
    ("pydantic/_internal/_generate_schema.py", "pydantic.v1"),
}
"""Powertools' validation wants a library that isn't in the layer; pydantic looks for classes of its first version."""


def test_nothing_in_the_layer_imports_what_was_taken_out_of_it() -> None:
    """The API answered 500 on AWS where a schedule was to be shown: cronsim.explain was imported by its first call."""
    rules = Layer(read_asked(ROOT / "shared" / "requirements.txt"), PACKAGES)
    broken = set()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        base = Path(spec.origin).parents[1]
        modules = {name_of(one): one for one in (file.relative_to(base) for file in (base / package).rglob("*.py"))}
        gone = {name for name, one in modules.items() if rules.leaves_out(one)}
        for name in modules.keys() - gone:
            broken |= {
                (str(modules[name]), one) for one in imports_of(base / modules[name], modules[name]) if one in gone
            }

    assert broken == FOR_OTHERS


def name_of(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def imports_of(file: Path, inside: Path) -> Iterator[str]:
    """Yield what a module imports, also inside of its functions; what only type checkers read aside."""
    todo: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo += node.orelse
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = inside.parts[: len(inside.parts) - node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (module, *(f"{module}.{one.name}" for one in node.names))
        else:
            todo += ast.iter_child_nodes(node)
