"""`lanework upgrade`: what a newer release changes is merged into what the project made of it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lanework.cli.main import app as command
from lanework.errors import ConfigError
from lanework.local.project import Project
from lanework.local.project_config import ProjectConfig
from lanework.starter.origin import origin, refuse_conflicts
from lanework.starter.product import product_of
from lanework.starter.upgrade import BASE, Fate, carry_out, is_behind, release_of, unresolved, upgrade
from lanework.starter.write import new_project

if TYPE_CHECKING:
    from typer.testing import Result

OLD, NEW = "1.0", "2.0"
TEMPLATE, WORKER = "template.yaml", "handlers/worker.py"
LINES = [f"  line{number}: {number}" for number in range(30)]


def release(**changed: str) -> dict[str, str]:
    """Return what a release deploys: a template of thirty lines, some of which say something else."""
    lines = [changed.get(line.partition(":")[0].strip(), line) for line in LINES]
    return {TEMPLATE: "\n".join(lines) + "\n", WORKER: "handler = 1\n"}


ONE = release()
TWO = release(line3="  line3: theirs", line20="  line20: theirs")


def made_now(project: Path) -> dict[str, str]:
    """Return what this release makes of a project that chose nothing."""
    return product_of(project, ProjectConfig(), schedules="")


@pytest.fixture(name="project")
def a_project(tmp_path: Path) -> Path:
    """Return a project of the first release."""
    for path, text in ONE.items():
        for place in (tmp_path / path, tmp_path / BASE / path):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
    (tmp_path / ".lanework-release").write_text(f"{OLD}\n")
    return tmp_path


def edit(project: Path, old: str, new: str, path: str = TEMPLATE) -> None:
    file = project / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def run(project: Path, files: dict[str, str] = TWO, name: str = NEW) -> tuple[dict[str, Fate], bool]:
    steps = upgrade(project, files, release=name)
    return {step.path: step.fate for step in steps}, carry_out(project, steps, release=name)


def everything(project: Path) -> dict[str, bytes]:
    return {str(one.relative_to(project)): one.read_bytes() for one in sorted(project.rglob("*")) if one.is_file()}


def test_what_nobody_changed_becomes_the_new_release(project: Path) -> None:
    assert run(project) == ({TEMPLATE: Fate.UPDATED}, True)

    assert ((project / TEMPLATE).read_text(), release_of(project)) == (TWO[TEMPLATE], NEW)
    assert run(project) == ({}, True), "and once is enough"


def test_local_changes_stay_where_the_release_changes_something_else(project: Path) -> None:
    edit(project, "line10: 10", "line10: mine")

    assert run(project) == ({TEMPLATE: Fate.MERGED}, True)

    mine = (project / TEMPLATE).read_text()
    assert ("line10: mine" in mine, mine.count("theirs"), release_of(project)) == (True, 2, NEW)
    before = everything(project)
    assert run(project) == ({}, True)
    assert everything(project) == before


def test_a_conflict_is_marked_and_told_again_until_it_is_resolved(project: Path) -> None:
    edit(project, "line3: 3", "line3: mine")
    edit(project, "line10: 10", "line10: mine")

    assert run(project) == ({TEMPLATE: Fate.CONFLICT}, False)

    marked = (project / TEMPLATE).read_text()
    assert (
        f"<<<<<<< yours\n  line3: mine\n=======\n  line3: theirs\n>>>>>>> lanework {NEW}\n" in marked,
        "line20: theirs" in marked,
        "line10: mine" in marked,
    ) == (True, True, True)
    assert (release_of(project), unresolved(project)) == (OLD, [TEMPLATE])
    before = everything(project)
    assert run(project) == ({TEMPLATE: Fate.OPEN}, False)
    assert everything(project) == before

    start, end = marked.index("<<<<<<<"), marked.index(f">>>>>>> lanework {NEW}\n") + len(f">>>>>>> lanework {NEW}\n")
    (project / TEMPLATE).write_text(f"{marked[:start]}  line3: mine\n{marked[end:]}")
    assert run(project) == ({TEMPLATE: Fate.RESOLVED}, True)
    assert (release_of(project), unresolved(project), run(project)) == (NEW, [], ({}, True))


def in_conflict(project: Path) -> tuple[str, str]:
    """Have a conflict in line 3, and a change of the release's own in line 20; return the file before and after."""
    edit(project, "line3: 3", "line3: mine")
    before = (project / TEMPLATE).read_text()
    assert run(project) == ({TEMPLATE: Fate.CONFLICT}, False)
    return before, (project / TEMPLATE).read_text()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_that_is_taken_back_after_a_conflict_is_merged_again(project: Path, end: str) -> None:
    """`git checkout template.yaml`, and the upgrade said that it was resolved, without any of the release's changes."""
    before, marked = in_conflict(project)
    (project / TEMPLATE).write_bytes(before.replace("\n", end).encode())

    assert run(project) == ({TEMPLATE: Fate.CONFLICT}, False)
    assert (project / TEMPLATE).read_bytes() == marked.replace("\n", end).encode()
    assert release_of(project) == OLD


def test_a_file_that_is_taken_back_to_what_the_release_before_wrote_is_updated(project: Path) -> None:
    in_conflict(project)
    (project / TEMPLATE).write_text(ONE[TEMPLATE])

    assert run(project) == ({TEMPLATE: Fate.UPDATED}, True)
    assert (project / TEMPLATE).read_text() == TWO[TEMPLATE]
    assert not (project / BASE / "unresolved" / TEMPLATE).exists()


def test_where_a_conflict_is_all_there_is_ones_own_side_may_be_kept(project: Path) -> None:
    edit(project, "line3: 3", "line3: mine")
    before = (project / TEMPLATE).read_text()
    two = release(line3="  line3: theirs")
    assert run(project, two) == ({TEMPLATE: Fate.CONFLICT}, False)
    (project / TEMPLATE).write_text(before)

    assert run(project, two) == ({TEMPLATE: Fate.RESOLVED}, True)
    assert run(project, two) == ({}, True)
    assert [one for one in everything(project) if "unresolved" in one] == []


def test_a_file_that_is_deleted_in_the_middle_of_a_conflict_is_told_to_be(project: Path) -> None:
    in_conflict(project)
    (project / TEMPLATE).unlink()

    assert run(project) == ({TEMPLATE: Fate.DELETED}, True)
    assert run(project) == ({}, True)


@pytest.mark.parametrize("kept", ["<<<<<<<", "=======", ">>>>>>>", "|||||||"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_conflict_of_which_one_marker_is_left_is_open(project: Path, kept: str, end: str) -> None:
    _, marked = in_conflict(project)
    lines = [line for line in marked.splitlines() if line[:7] not in {"<<<<<<<", "=======", ">>>>>>>"} - {kept}]
    if kept == "|||||||":  # of git's style `diff3`
        lines.insert(4, "||||||| before")
    (project / TEMPLATE).write_bytes(end.join([*lines, ""]).encode())

    assert run(project) == ({TEMPLATE: Fate.OPEN}, False)
    assert unresolved(project) == [TEMPLATE]


def test_a_line_of_ones_own_that_looks_like_a_marker_leaves_no_conflict_open(project: Path) -> None:
    edit(project, "  line10: 10", "=======")
    _, marked = in_conflict(project)
    start, end = marked.index("<<<<<<<"), marked.index(f">>>>>>> lanework {NEW}\n") + len(f">>>>>>> lanework {NEW}\n")
    (project / TEMPLATE).write_text(f"{marked[:start]}  line3: mine\n{marked[end:]}")

    assert run(project) == ({TEMPLATE: Fate.RESOLVED}, True)


@pytest.mark.parametrize(("most", "few"), [("\r\n", "\n"), ("\n", "\r\n")])
def test_a_file_of_both_line_ends_is_merged_by_those_of_most_lines(project: Path, most: str, few: str) -> None:
    """It was one conflict from the first line to the last."""
    edit(project, "line10: 10", "line10: mine")
    lines = (project / TEMPLATE).read_text().splitlines()
    (project / TEMPLATE).write_bytes((lines[0] + few + most.join([*lines[1:], ""])).encode())

    assert run(project) == ({TEMPLATE: Fate.MERGED}, True)
    assert (project / TEMPLATE).read_bytes() == TWO[TEMPLATE].replace("10: 10", "10: mine").replace("\n", most).encode()


def test_a_release_after_a_resolved_conflict_is_compared_with_the_one_before_it(project: Path) -> None:
    edit(project, "line3: 3", "line3: mine")
    run(project)
    resolved = TWO[TEMPLATE].replace("line3: theirs", "line3: mine")
    (project / TEMPLATE).write_text(resolved)
    three = {**TWO, TEMPLATE: TWO[TEMPLATE].replace("line25: 25", "line25: third")}

    assert run(project, three, "3.0") == ({TEMPLATE: Fate.MERGED}, True)

    assert (project / TEMPLATE).read_text() == resolved.replace("line25: 25", "line25: third")
    assert release_of(project) == "3.0"


def test_two_releases_at_once_are_one_merge(project: Path) -> None:
    edit(project, "line10: 10", "line10: mine")
    three = {**TWO, TEMPLATE: TWO[TEMPLATE].replace("line3: theirs", "line3: third")}

    assert run(project, three, "3.0") == ({TEMPLATE: Fate.MERGED}, True)
    assert "line3: third" in (project / TEMPLATE).read_text()


def test_of_two_files_the_one_without_a_conflict_is_done(project: Path) -> None:
    edit(project, "line3: 3", "line3: mine")
    two = {**TWO, WORKER: "handler = 2\n"}

    assert run(project, two) == ({TEMPLATE: Fate.CONFLICT, WORKER: Fate.UPDATED}, False)
    assert (project / WORKER).read_text() == "handler = 2\n"
    assert run(project, two) == ({TEMPLATE: Fate.OPEN}, False)


@pytest.mark.parametrize("is_changed", [False, True])
def test_what_the_project_took_over_already_is_no_conflict(project: Path, is_changed: bool) -> None:
    edit(project, "line3: 3", "line3: theirs")
    edit(project, "line20: 20", "line20: theirs")
    if is_changed:
        edit(project, "line10: 10", "line10: mine")

    assert run(project)[1]
    assert run(project) == ({}, True)


def test_a_deleted_file_stays_deleted_a_new_one_is_made_and_one_that_is_gone_is_left(project: Path) -> None:
    (project / WORKER).unlink()
    (project / "handlers/old.py").write_text("mine\n")
    (project / BASE / "handlers/old.py").write_text("theirs\n")
    two = {**TWO, WORKER: "handler = 2\n", "handlers/new.py": "new\n"}

    fates, is_done = run(project, two)

    assert (fates[WORKER], fates["handlers/new.py"], fates["handlers/old.py"], is_done) == (
        *(Fate.DELETED, Fate.NEW, Fate.RETIRED),
        True,
    )
    assert not (project / WORKER).exists()
    assert ((project / "handlers/new.py").read_text(), (project / "handlers/old.py").read_text()) == ("new\n", "mine\n")
    assert run(project, two) == ({}, True)


def test_a_file_of_the_projects_own_where_the_release_puts_one_is_not_lost(project: Path) -> None:
    (project / "handlers/new.py").write_text("mine\n")

    assert run(project, {**TWO, "handlers/new.py": "new\n"}) == (
        {TEMPLATE: Fate.UPDATED, "handlers/new.py": Fate.CONFLICT},
        False,
    )
    assert {"mine", "new"} <= set((project / "handlers/new.py").read_text().splitlines())


@pytest.mark.parametrize("is_base_windows", [False, True])
@pytest.mark.parametrize("edited", ["line10: 10", "line3: 3"])
def test_the_line_ends_of_windows_are_kept(project: Path, edited: str, is_base_windows: bool) -> None:
    edit(project, edited, "line: mine")
    for place in (project / TEMPLATE, *([project / BASE / TEMPLATE] if is_base_windows else [])):
        place.write_bytes(place.read_bytes().replace(b"\n", b"\r\n"))

    fates, _ = run(project)

    content = (project / TEMPLATE).read_bytes()
    assert fates == {TEMPLATE: Fate.MERGED if edited == "line10: 10" else Fate.CONFLICT}
    assert (content.count(b"\r\n"), b"line: mine" in content) == (content.count(b"\n"), True)


def test_what_nobody_changed_but_for_its_line_ends_is_updated_and_keeps_them(project: Path) -> None:
    (project / TEMPLATE).write_bytes((project / TEMPLATE).read_bytes().replace(b"\n", b"\r\n"))

    assert run(project) == ({TEMPLATE: Fate.UPDATED}, True)
    assert (project / TEMPLATE).read_bytes() == TWO[TEMPLATE].replace("\n", "\r\n").encode()


def test_a_checkout_with_the_line_ends_of_windows_has_nothing_to_upgrade(project: Path) -> None:
    for file in (one for one in project.rglob("*") if one.is_file()):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))

    assert run(project, ONE, OLD) == ({}, True)


@pytest.mark.parametrize("end", ["", "\n\n"])
def test_an_end_without_a_newline_is_merged_as_any_other(project: Path, end: str) -> None:
    (project / TEMPLATE).write_text((project / TEMPLATE).read_text().rstrip("\n") + end)

    assert run(project)[1]
    assert (project / TEMPLATE).read_text().count("theirs") == 2


def test_what_is_no_text_is_left_alone_and_the_new_one_lies_beside_it_until_somebody_is_done(project: Path) -> None:
    binary = b"\x00\x01\xff" * 100
    (project / TEMPLATE).write_bytes(binary)

    assert run(project) == ({TEMPLATE: Fate.BY_HAND}, False)

    beside = project / f"{TEMPLATE}.lanework-new"
    assert ((project / TEMPLATE).read_bytes(), beside.read_text()) == (binary, TWO[TEMPLATE])
    assert run(project) == ({TEMPLATE: Fate.OPEN}, False)
    beside.unlink()
    assert run(project) == ({TEMPLATE: Fate.RESOLVED}, True)


def test_an_upgrade_that_was_cut_off_is_repeated(project: Path) -> None:
    edit(project, "line10: 10", "line10: mine")
    steps = upgrade(project, files=TWO, release=NEW)
    (project / TEMPLATE).write_bytes(steps[0].writes[TEMPLATE] or b"")

    assert run(project)[1]
    assert ((project / TEMPLATE).read_text().count("theirs"), release_of(project)) == (2, NEW)


def test_without_git_what_needs_no_merge_is_done_and_what_does_is_refused_whole(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project))
    edit(project, "line10: 10", "line10: mine")
    before = everything(project)

    with pytest.raises(ConfigError, match="git is not installed; nothing was changed"):
        run(project)
    assert everything(project) == before
    (project / TEMPLATE).write_text(ONE[TEMPLATE])
    assert run(project) == ({TEMPLATE: Fate.UPDATED}, True)


def test_what_this_release_made_has_nothing_to_upgrade_and_says_its_release(tmp_path: Path) -> None:
    new_project(tmp_path).carry_out(tmp_path)
    (tmp_path / TEMPLATE).write_text("changed: by its owner\n")

    assert (upgrade(tmp_path, made_now(tmp_path)), is_behind(tmp_path, made_now(tmp_path))) == ([], False)
    assert release_of(tmp_path) is not None


def test_a_project_from_before_releases_were_noted_is_upgraded_all_the_same(project: Path) -> None:
    (project / ".lanework-release").unlink()

    assert release_of(project) is None
    assert run(project)[1]
    assert release_of(project) == NEW


def test_a_project_without_a_base_is_told_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no \.lanework-base/template\.yaml to compare with"):
        upgrade(tmp_path, ONE)


def lanework(*words: str) -> Result:
    return CliRunner().invoke(command, words)


@pytest.fixture(scope="module", name="made_earlier")
def a_project_of_an_older_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose template an older release wrote a little differently, and whose owner has changed that line."""
    made = tmp_path_factory.mktemp("made")
    new_project(made).carry_out(made)
    newer = "    Default: python3.13\n"
    for place, line in ((made / BASE / TEMPLATE, "older"), (made / TEMPLATE, "mine")):
        assert place.read_text().count(newer) == 1
        place.write_text(place.read_text().replace(newer, f"    Description: {line}\n"))
    (made / ".lanework-release").write_text("0.0.1\n")
    return made


def test_the_command_names_the_files_and_check_refuses_them_until_they_are_resolved(
    made_earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made_earlier)

    dry = lanework("upgrade", "--dry-run")
    assert (dry.exit_code, unresolved(made_earlier), is_behind(made_earlier, made_now(made_earlier))) == (1, [], True)

    done = lanework("upgrade")
    assert (done.exit_code, "template.yaml: CONFLICT" in done.stdout) == (1, True)
    assert "resolve template.yaml, then say `lanework upgrade` again" in done.stderr

    checked = lanework("check")
    assert (checked.exit_code, "template.yaml: a conflict of an upgrade is open" in str(checked.exception)) == (1, True)

    (made_earlier / TEMPLATE).write_text(made_now(made_earlier)[TEMPLATE])
    assert lanework("upgrade").exit_code == 0
    project = Project(root=made_earlier)
    refuse_conflicts(project)
    assert next(origin(project)) == f"template.yaml and its neighbours are of Lanework {version('lanework')}"
    again = lanework("upgrade")
    assert (again.exit_code, "nothing to upgrade" in again.stderr) == (0, True)
