"""The commands `lanework doctor` and `lanework check`: what is wrong, why it hurts, what to type."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lanework.cli.connect import enter_stack, project_here
from lanework.cli.exits import Exit
from lanework.cli.options import AsJson
from lanework.cli.output import complain, out, print_json, say
from lanework.cli.target import Target, target
from lanework.doctor.case import Finding, examine
from lanework.doctor.rules import RULES
from lanework.doctor.rules.schedules import schedules
from lanework.errors import ConfigError, InvalidOptionError
from lanework.local.application import load_app
from lanework.local.deployment.declared_schedules import to_paste
from lanework.local.environment import adopt, local_environment
from lanework.local.environment_table import TABLE
from lanework.local.project import find_project
from lanework.settings import Settings
from lanework.starter.environment_block import with_environment
from lanework.wiring import aws_ports, utc_now

if TYPE_CHECKING:
    from lanework.local.project import Project

CFN_LINT = "cfn-lint"


def doctor(
    template: Annotated[bool, typer.Option("--template", help="Examine template.yaml; needs no stack.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Check a stack, or template.yaml: what is wrong, why it matters, and what to do. Exit code 1 if it finds a problem.

    Changes nothing. Example: lanework doctor --stack lanework-prod
    """
    if template and target() != Target():
        msg = "--template is examined without a stack: leave out --stack, --region and --profile"
        raise InvalidOptionError(msg)
    if template:
        project = find_project(Path.cwd())
        _print(project.template.name, _of_template(project, lint=_has_lint()), as_json=as_json)
        return
    settings = enter_stack(project_here())
    _print(f"stack {settings.stack} in {settings.region}", _of_stack(settings), as_json=as_json)


def check(
    write: Annotated[
        bool,
        typer.Option("--write", help="First write what pyproject.toml says of the environment."),
    ] = False,
) -> None:
    """
    Check template.yaml before it is deployed: `doctor --template`, and cfn-lint, which must be installed.

    Says which release of Lanework it is of, and prints what to paste for a schedule that it lacks. Exit code 1 if there
    is anything to complain about, such as a conflict of an upgrade that nobody has resolved.
    """
    if not _has_lint():
        msg = "checking a template needs cfn-lint; try: pip install cfn-lint"
        raise ConfigError(msg)
    project = find_project(Path.cwd())
    _tell_release(project.folder)
    if write:
        _write_environment(project)
    findings = _of_template(project, lint=True)
    sys.stdout.write(_pasted(project, findings))
    _print(project.template.name, findings, as_json=False)


def _tell_release(project: Path) -> None:
    """
    Say which release a project's deployed files are of.

    Raises:
        ConfigError: A conflict is open in one of them.
    """
    from lanework.starter.upgrade import BASE, is_behind, release_of, unresolved  # noqa: PLC0415 - reads all of its files

    marked = unresolved(project)
    if marked:
        msg = (
            f"{', '.join(marked)}: a conflict of an upgrade is open; look for <<<<<<<, resolve it, and say "
            "`lanework upgrade` again"
        )
        raise ConfigError(msg)
    if (project / BASE).is_dir():
        release = release_of(project)
        named = "a release that isn't noted" if release is None else f"Lanework {release}"
        behind = f", and {version('lanework')} has another: lanework upgrade" if is_behind(project) else ""
        out().print(f"template.yaml and its neighbours are of {named}{behind}", markup=False)


def _of_template(project: Project, *, lint: bool) -> list[Finding]:
    from lanework.local.deployment.sam_transform import lint_template  # noqa: PLC0415 - heavy, as are the next
    from lanework.local.deployment.template import read_template  # noqa: PLC0415 - as above
    from lanework.local.doctor_input import code_of, template_case  # noqa: PLC0415 - as above

    adopt(local_environment(project))
    template = read_template(project.template)
    findings = examine(template_case(template, code_of(load_app(project))), RULES)
    lines = lint_template(template) if lint else ()
    return [*(_linted(line) for line in lines), *_of_environment(project), *findings]


def _of_environment(project: Project) -> list[Finding]:
    """Return what template.yaml lacks of `[tool.lanework.environment]`, or has beyond it."""
    text = project.template.read_text(encoding="utf-8")
    if with_environment(text, project.config.environment) == text:
        return []
    finding = Finding(
        rule="environment",
        about=TABLE,
        what="template.yaml has not what pyproject.toml says",
        why="the functions on AWS would not have these variables, or may not read what they refer to",
        todo="lanework check --write",
    )
    return [finding]


def _write_environment(project: Project) -> None:
    text = project.template.read_text(encoding="utf-8")
    made = with_environment(text, project.config.environment)
    if made != text:
        project.template.write_text(made, encoding="utf-8", newline="\n")
        say(f"wrote {TABLE} into {project.shown(project.template)}")


def _of_stack(settings: Settings) -> list[Finding]:
    from lanework.aws.clients import Clients  # noqa: PLC0415 - boto, and heavy
    from lanework.aws.deployed.stack import Look  # noqa: PLC0415 - as above
    from lanework.local.doctor_input import live_case  # noqa: PLC0415 - as above

    project = project_here()
    app = None if project is None else load_app(project)
    if app is None:
        say("this folder is in no project: the stack is examined by itself, and not compared with code and template")
    else:
        app.use(aws_ports(settings))
    return examine(live_case(settings, Look(Clients(settings)), project, app, clock=utc_now), RULES)


def _pasted(project: Project, findings: list[Finding]) -> str:
    from lanework.local.deployment.template import read_template  # noqa: PLC0415 - as above

    lacking = {one.about for one in findings if one.rule == schedules.name}
    declared = [one.schedule for one in load_app(project).registry.types if one.schedule is not None]
    return to_paste(read_template(project.template), [one for one in declared if one.name in lacking])


def _linted(line: str) -> Finding:
    rule, _, rest = line.partition(" ")
    return Finding(
        rule=CFN_LINT,
        about=rest.partition(":")[0],
        what=line,
        why="CloudFormation refuses it, or makes something else of it than it seems to say",
        todo=f"mend it; rule {rule} is explained in cfn-lint's documentation",
    )


def _has_lint() -> bool:
    return importlib.util.find_spec("cfnlint") is not None


def _print(what: str, findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        print_json({"examined": what, "rules": len(RULES), "findings": [asdict(one) for one in findings]})
    elif not findings:
        out().print(f"{what}: nothing to complain about ({len(RULES)} rules)", markup=False)
    else:
        for one in findings:
            complain(f"{what}: {one.about}: {one.what}")
            _explain(one)
        out().print(f"{len(findings)} to mend; Lanework's docs/doctor.md explains the rules", markup=False)
    if findings:
        raise typer.Exit(Exit.FAILED)


def _explain(one: Finding) -> None:
    text = Text.assemble(("  why   ", "dim"), f"{one.why} ({one.rule})\n", ("  type  ", "dim"), one.todo)
    sys.stderr.write(f"{text.plain}\n") if not sys.stderr.isatty() else say(text.plain)
