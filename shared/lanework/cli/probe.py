"""`lanework probe`: whether an account of AWS does what AWS documents and Lanework leans on."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lanework.cli.exits import Exit
from lanework.cli.options import Yes
from lanework.cli.output import confirm, out, say
from lanework.cli.target import REGION, text_option
from lanework.errors import ConfigError, InvalidOptionError

if TYPE_CHECKING:
    from boto3.session import Session

    from lanework.local.probe.lab import Lab, Pace
    from lanework.local.probe.report import Report
    from lanework.local.probe.run import Finding

COST: Final = "It costs about $0.02 at us-east-1's prices, and less than $1 whatever happens"
"""The dearest call writes 400 KB, for $0.00025; a run ends after 3,000. Its functions run for two minutes in all."""

DEFAULT: Final = Path("lanework-probe")

_EMULATORS_REGION: Final = "us-east-1"


def _file(text: str) -> Path:
    path = Path(text)
    if not text or not path.parent.is_dir():
        msg = f"{text!r} can't be written: there is no folder {str(path.parent)!r}"
        raise typer.BadParameter(msg)
    return path


def probe(
    lines: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LINE]...", help="Only lines of docs/emulators.md that begin so: sqs, dynamodb_item."),
    ] = None,
    region: Annotated[str | None, text_option("Its AWS region.", REGION, "eu-west-1")] = None,
    profile: Annotated[
        str | None, text_option("The AWS profile of the account; no other credentials are used.", r".+", "sandbox")
    ] = None,
    endpoint: Annotated[
        str | None,
        text_option("An emulator instead of AWS.", r"http://[^/\s]+/?", "http://127.0.0.1:4566"),
    ] = None,
    report: Annotated[Path, typer.Option(parser=_file, metavar="NAME", help="Writes NAME.md and NAME.json.")] = DEFAULT,
    patience: Annotated[
        int | None, typer.Option(min=1, metavar="SECONDS", help="How long to wait for what must come; 180 on AWS.")
    ] = None,
    yes: Yes = False,
) -> None:
    """
    Look whether AWS does what it documents, in resources of its own. Exit code 1 if a line differs.

    It needs --region and --profile, or --endpoint: no variable of the environment chooses an account.

    It says first what it makes and costs, and asks. It deletes all that it made, also after Ctrl-C.

    Example: lanework probe --region eu-west-1 --profile sandbox
    """
    from lanework.local.probe.table import lines_of  # noqa: PLC0415 - this and its like: heavy, and for this command

    session, where = _account(region, profile, endpoint)
    chosen = [one.id for one in lines_of(lines or [])]
    lab = _lab(session, endpoint, patience)
    made = "queues, a table, functions, a role, schedules, a topic, parameters and a stack"
    cost = COST if endpoint is None else "An emulator charges nothing"
    say(f"{len(chosen)} lines are looked at in {where}: {made} are made for it, as far as the lines need them,")
    say(f"named {lab.prefix}-… and tagged lanework:probe, and deleted. It takes about 5 minutes.")
    say(f"{cost}: it ends after {lab.pace.most_calls:,} calls.")
    confirm(f"Go on in {where}?", yes=yes)
    found = _run(lab, chosen, where, report)
    raise typer.Exit(Exit.OK if all(one.holds for one in found.findings) and not found.left else Exit.FAILED)


def _account(region: str | None, profile: str | None, endpoint: str | None) -> tuple[Session, str]:
    """
    Return a session for what the command line names, and its name for people.

    Raises:
        InvalidOptionError: It names neither an account nor an emulator, or both.
        ConfigError: There is no such profile, or its credentials are refused.
    """
    if endpoint is not None:
        return _emulator(region, profile, endpoint)
    if region is None or profile is None:
        msg = (
            "give --region and --profile for an account of AWS, or --endpoint for an emulator: nothing else chooses one"
        )
        raise InvalidOptionError(msg)
    from boto3.session import Session  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.session import Session as BotocoreSession  # noqa: PLC0415

    of_botocore = BotocoreSession()
    of_botocore.set_config_variable("ignore_configured_endpoint_urls", value=True)  # AWS is AWS, and no emulator
    try:
        session = Session(profile_name=profile, region_name=region, botocore_session=of_botocore)
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        msg = f"profile {profile}: {error}"
        raise ConfigError(msg) from error
    return session, f"account {account}, {region}"


def _emulator(region: str | None, profile: str | None, endpoint: str) -> tuple[Session, str]:
    from lanework.aws.clients import bare_session  # noqa: PLC0415

    if profile is not None:
        msg = "--endpoint is for an emulator, which has no profiles: give it without --profile, or leave it out for AWS"
        raise InvalidOptionError(msg)
    return bare_session(region or _EMULATORS_REGION), endpoint


def _lab(session: Session, endpoint: str | None, patience: int | None) -> Lab:
    from lanework.local.probe.lab import Lab  # noqa: PLC0415

    return Lab(
        session=session, endpoint=endpoint, prefix=f"lwprobe-{uuid.uuid4().hex[:8]}", pace=_pace(endpoint, patience)
    )


def _pace(endpoint: str | None, patience: int | None) -> Pace:
    from lanework.local.probe.lab import Pace  # noqa: PLC0415

    if endpoint is None:
        return Pace() if patience is None else Pace(patience_s=patience)
    return Pace(patience_s=patience or 20, quiet_s=1, long_poll_s=0, poll_s=0.5, burst=3, answer_within_s=300)


def _run(lab: Lab, lines: list[str], where: str, file: Path) -> Report:
    from lanework.local.probe.report import Report  # noqa: PLC0415
    from lanework.local.probe.run import run  # noqa: PLC0415

    begun, findings = datetime.now(UTC), dict[str, "Finding"]()
    versions = {name: version(name) for name in ("lanework", "botocore")}

    def note(one: Finding) -> None:
        findings[one.line] = one
        if one.holds is False:
            out().print(f"{one.line} differs: {one.seen}", markup=False)

    try:
        run(lab, lines, report=note)
    finally:
        from lanework.local.probe.run import not_looked_at  # noqa: PLC0415

        all_found = [findings.get(line) or not_looked_at(line) for line in lines]
        found = Report(where=where, at=begun, versions=versions, findings=all_found, calls=lab.calls, left=lab.left)
        markdown, program = found.write(file)
        for name, why in lab.left.items():
            say(f"not deleted: {name}: {why}")
        out().print(f"{found.summary()}. Written: {markdown}, {program}", markup=False)
    return found
