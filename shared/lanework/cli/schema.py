"""Commands about the document of job types: export it, compare two of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lanework.cli.exits import Exit
from lanework.cli.options import AsJson, group
from lanework.cli.output import answer, out, say, table_of
from lanework.local.application import load_app
from lanework.local.environment import adopt, local_environment
from lanework.local.project import find_project
from lanework.schema.diff import changes
from lanework.schema.document import Document, document_of, read_document

app = group(
    "schema", "Job types as one JSON document, for producers without the code: write it, say what a change breaks."
)

Old = Annotated[Path, typer.Argument(metavar="OLD", help="The document that producers have.")]
New = Annotated[
    Path | None, typer.Argument(metavar="NEW", help="The newer one; default: what the project's code says.")
]


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; default: standard output.")] = None,
) -> None:
    """
    Write the job types of the project's application: each with its payload's JSON Schema, lane, limits and keys.

    The same code writes the same text, so that the document can be kept in a repository.

    Example: lanework schema export jobs.schema.json
    """
    text = _of_project().text()
    if file is None:
        sys.stdout.write(text)
        return
    file.write_text(text, encoding="utf-8")
    say(f"{file} is written")


@app.command()
def diff(old: Old, new: New = None, as_json: AsJson = False) -> None:
    """
    Say what has changed between two documents. Exit code 1 if a change breaks producers that have the older one.

    Example: lanework schema diff jobs.schema.json
    """
    before = read_document(old)
    found = changes(before, _of_project() if new is None else read_document(new))
    breaking = sum(one.breaking for one in found)
    if as_json:
        each = [{"type": one.job_type, "breaking": one.breaking, "change": one.what} for one in found]
        answer({"breaking": breaking, "changes": each}, "", as_json=True)
    elif not found:
        out().print("nothing has changed")
    else:
        rows = [("breaking" if one.breaking else "harmless", one.job_type, one.what) for one in found]
        out().print(table_of(("", "job type", "change"), rows))
    if breaking:
        raise typer.Exit(Exit.FAILED)


def _of_project() -> Document:
    project = find_project(Path.cwd())
    adopt(local_environment(project))
    return document_of(load_app(project).registry.types)
