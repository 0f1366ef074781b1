"""The commands `lanework doctor` and `lanework check`: what is wrong, why it hurts, what to type."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import asdict
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
from lanework.errors import ConfigError, InvalidOptionError
from lanework.local.application import load_app
from lanework.local.deployment.declared_schedules import events_yaml
from lanework.local.environment import adopt, local_environment
from lanework.local.environment_table import TABLE
from lanework.local.project import TEMPLATE, find_deployable
from lanework.settings import Settings
from lanework.starter.environment_block import with_environment
from lanework.starter.event_sources import sources_in, with_sources
from lanework.starter.origin import origin, refuse_conflicts
from lanework.starter.schedules import with_schedules
from lanework.starter.upgrade import BASE, rewrite
from lanework.wiring import aws_ports, utc_now

if TYPE_CHECKING:
    from lanework.app import App
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
        project = find_deployable(Path.cwd())
        _print(project.template.name, _of_template(project, lint=_has_lint()), as_json=as_json)
        return
    settings = enter_stack(project_here())
    _print(f"stack {settings.stack} in {settings.region}", _of_stack(settings), as_json=as_json)


def check(
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="First write the environment of pyproject.toml, and declared schedules and sources of events.",
        ),
    ] = False,
) -> None:
    """
    Check template.yaml before it is deployed: `doctor --template`, and cfn-lint, which must be installed.

    Says which release of Lanework it is of, and what was changed in it by hand. Exit code 1 if there is anything to
    complain about, such as a schedule that it lacks, or a conflict of an upgrade that nobody has resolved.

    Example: lanework check --write
    """
    if not _has_lint():
        msg = "checking a template needs cfn-lint; try: pip install cfn-lint"
        raise ConfigError(msg)
    project = find_deployable(Path.cwd())
    refuse_conflicts(project)
    if write:
        _write(project)
    for line in (*origin(project), *_notes(project)):
        out().print(line, markup=False)
    _print(project.template.name, _of_template(project, lint=True), as_json=False)


def _notes(project: Project) -> list[str]:
    from lanework.local.batch_notes import batch_notes  # noqa: PLC0415 - as below
    from lanework.local.deployment.template import read_template  # noqa: PLC0415 - heavy

    adopt(local_environment(project))
    return batch_notes(read_template(project.template), load_app(project).registry.types)


def _write(project: Project) -> None:
    """Write what pyproject.toml and the code say into the template; into its base, too: it is no change by hand."""
    adopt(local_environment(project))
    app = load_app(project)
    declared = [one.schedule for one in app.registry.types if one.schedule is not None]

    def written(text: str) -> str:
        text = with_schedules(with_environment(text, project.config.environment), events_yaml(declared))
        return with_sources(text, _sources_of(app, text))

    if rewrite([project.template, project.folder / BASE / TEMPLATE], written):
        say(f"wrote {TABLE}, the declared schedules and sources of events into {project.shown(project.template)}")


def _of_template(project: Project, *, lint: bool) -> list[Finding]:
    from lanework.local.deployment.sam_transform import lint_template  # noqa: PLC0415 - heavy, as are the next
    from lanework.local.deployment.samconfig import examine_samconfig  # noqa: PLC0415 - as below
    from lanework.local.deployment.template import read_template  # noqa: PLC0415 - as above
    from lanework.local.doctor_input import code_of  # noqa: PLC0415 - as above
    from lanework.local.samconfig_findings import examine_template  # noqa: PLC0415 - as above

    adopt(local_environment(project))
    template = read_template(project.template)
    app = load_app(project)
    findings = examine_template(template, code_of(app), project.folder)
    lines = lint_template(template) if lint else ()
    return [
        *(_linted(line) for line in lines),
        *_of_environment(project),
        *_of_sources(project, app),
        *examine_samconfig(project.folder),
        *findings,
    ]


def _sources_of(app: App, template: str) -> str:
    if not app.subscriptions:
        return ""
    from lanework.aws_events.template import sources_yaml  # noqa: PLC0415 - few have any

    return sources_yaml((one.source for one in app.subscriptions), template=template)


def _of_sources(project: Project, app: App) -> list[Finding]:
    """Return what template.yaml lacks of the sources of events that families declare, or has beyond them."""
    text = project.template.read_text(encoding="utf-8")
    if sources_in(text).split() == _sources_of(app, text).split():
        return []
    declared = ", ".join(str(one.source) for one in app.subscriptions) or "nothing"
    finding = Finding(
        rule="event-sources",
        about="Sources of events",
        what=f"template.yaml has not what on(…) declares: {declared}",
        why="events would reach no queue, or a queue that nobody means any more",
        todo="lanework check --write",
    )
    return [finding]


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


def _of_stack(settings: Settings) -> list[Finding]:
    from lanework.aws.clients import Clients  # noqa: PLC0415 - boto, and heavy
    from lanework.aws.deployed.stack import Look  # noqa: PLC0415 - as above
    from lanework.local.doctor_input import live_case  # noqa: PLC0415 - as above

    here = project_here()
    project = here if here is not None and here.template.is_file() else None
    app = None if project is None else load_app(project)
    if app is None:
        say("no project with a template is here: the stack is examined by itself, not compared with code and template")
    else:
        app.use(aws_ports(settings))
    return examine(live_case(settings, Look(Clients(settings)), project, app, clock=utc_now), RULES)


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
