from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from lanework.errors import StackError
from lanework.local.deployment import layer_files
from lanework.local.deployment.package import Package, zip_functions, zip_layer
from lanework.local.deployment.template import FUNCTION, LAYER, functions, read_template, with_code_at

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    (folder / "jobs" / "__pycache__").mkdir(parents=True)
    (folder / "jobs" / "__pycache__" / "mail.cpython-311.pyc").touch()
    (folder / "jobs" / "mail.py").write_text("SUBJECT = 'Сайн байна уу'\n", encoding="utf-8")
    (folder / "jobs" / "mail.html").write_text("<p>")
    return folder


def layer_of(*sources: Path) -> Package:
    return zip_layer(sources[0], layer_files.layer_files(sources, demo="jobs.scenario:scenario"))


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_a_zip_holds_the_folder_under_the_given_name_and_no_bytecode(shared: Path) -> None:
    assert names(layer_of(shared).content) == [
        "python/jobs/mail.html",
        "python/jobs/mail.py",
    ]


def test_a_module_beside_the_packages_is_in_the_layer_here_and_in_the_build(shared: Path, tmp_path: Path) -> None:
    for file in ("db.py", "rates/2026.csv", "native.abi3.so"):
        (shared / file).parent.mkdir(exist_ok=True)
        (shared / file).touch()
    for file in ("Makefile", "requirements.txt", "2fast.py", "my-notes/todo.py", ".hidden/x.py", "__pycache__/db.pyc"):
        (shared / file).parent.mkdir(exist_ok=True)
        (shared / file).touch()

    where = [str(shared), str(tmp_path / "layer"), str(tmp_path / "listed.json")]
    subprocess.run([sys.executable, "-I", "-S", layer_files.__file__, *where], check=True)

    built = sorted(
        f"python/{one.relative_to(tmp_path / 'layer')}" for one in layer_files.code_files(tmp_path / "layer")
    )
    inside = ["db.py", "jobs/mail.html", "jobs/mail.py", "native.abi3.so", "rates/2026.csv"]
    assert [f"python/{one}" for one in inside] == sorted(names(layer_of(shared).content)) == built


def test_of_a_package_the_layer_holds_itself_and_nothing_of_what_lies_beside_it(shared: Path) -> None:
    (shared / "jobs" / "__init__.py").touch()
    (shared / "jobs" / "scenario.py").touch()  # of the demo alone
    for beside in ("setup.py", "tests/__init__.py"):
        (shared / beside).parent.mkdir(exist_ok=True)
        (shared / beside).touch()
    (shared / "sibling" / "rates").mkdir(parents=True)
    (shared / "sibling" / "rates" / "eu.py").touch()

    package = layer_of(shared / "jobs", shared / "sibling")

    inside = ["jobs/__init__.py", "jobs/mail.html", "jobs/mail.py", "rates/eu.py"]
    assert names(package.content) == [f"python/{one}" for one in inside]


def test_the_same_files_give_the_same_bytes_whenever_they_were_written(shared: Path) -> None:
    before = layer_of(shared)
    os.utime(shared / "jobs" / "mail.py", (0, 0))

    assert layer_of(shared) == before


def test_a_changed_file_gives_the_package_another_key(shared: Path) -> None:
    before = layer_of(shared).key
    (shared / "jobs" / "mail.html").write_text("<b>")

    assert layer_of(shared).key != before


def test_an_empty_or_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"nothing to deploy in .*handlers"):
        zip_functions(tmp_path / "handlers")


def test_code_in_s3_already_is_left_where_it_is() -> None:
    template: dict[str, Any] = {
        "Globals": {"Function": {"CodeUri": "handlers/"}},
        "Resources": {
            "Own": {"Type": FUNCTION, "Properties": {"CodeUri": "s3://other/key"}},
            "Layer": {"Type": LAYER, "Properties": {"ContentUri": "shared/"}},
            "Queue": {"Type": "AWS::SQS::Queue"},
        },
    }

    located = with_code_at(template, lambda folder, kind: f"s3://code/{kind.rpartition('::')[2]}/{folder}")

    assert located["Globals"]["Function"]["CodeUri"] == "s3://code/Function/handlers/"
    assert located["Resources"]["Own"]["Properties"]["CodeUri"] == "s3://other/key"
    assert located["Resources"]["Layer"]["Properties"]["ContentUri"] == "s3://code/LayerVersion/shared/"
    assert template["Globals"]["Function"]["CodeUri"] == "handlers/"


def test_a_function_has_the_variables_of_all_functions_and_its_own() -> None:
    template = {
        "Globals": {"Function": {"Handler": "handlers.worker.handler", "Environment": {"Variables": {"A": "1"}}}},
        "Resources": {"Low": {"Type": FUNCTION, "Properties": {"Environment": {"Variables": {"B": "2"}}}}},
    }

    (low,) = functions(template)

    assert (low["Handler"], low["Environment"]["Variables"]) == ("handlers.worker.handler", {"A": "1", "B": "2"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("a: [", r"template\.yaml is not valid YAML: .*line 1"), ("- a", "has no Resources"), ("", "has no Resources")],
)
def test_a_template_that_is_none_is_told_in_one_line(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)

    with pytest.raises(StackError, match=complaint) as told:
        read_template(path)
    assert "\n" not in str(told.value)


def test_a_missing_template_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"can't read .*template\.yaml"):
        read_template(tmp_path / "template.yaml")
