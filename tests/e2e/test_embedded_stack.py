"""The embedded stack through its own door, with template.yaml and a worker that notes what it was given."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from lanework.embedded import answers, running_in
from lanework.errors import StackError
from lanework.local.emulator.process import Emulator, is_free, start_emulator, wait_for
from lanework.local.project import Project, project_at
from lanework.local.stack.embedded import RunningStack, embedded_stack
from lanework.local.stack.logs import LogTail
from lanework.local.stack.watch import redeploy_on_change
from lanework.model.lanes import Lane
from tests.support.rights import UNDER_IAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parents[2]
SOON = timedelta(seconds=20)

WORKER = """
import json, os, time
from importlib.util import find_spec
import boto3
from stub import VERSION

table = boto3.resource("dynamodb").Table(os.environ["APP_TABLE"])

def handler(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        table.put_item(Item={"pk": order["id"], "sk": "begun"})
        time.sleep(order.get("seconds", 0))
        seen = {name: os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "SECRET")}
        print(json.dumps({"id": order["id"], "version": VERSION}))
        seen["developer's"] = str([name for name in ("pytest", "pydantic", "lanework", "pip") if find_spec(name)])
        note = {"lane": os.environ["LANEWORK_LANE"], "code": VERSION, "nice": str(os.nice(0)), **seen}
        table.put_item(Item={"pk": order["id"], "sk": "done", **note})
    return {"batchItemFailures": []}
"""


OWN = """
  Reports:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub ${AWS::StackName}-reports
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: aws:kms}}]}
      LifecycleConfiguration: {Rules: [{Id: old, Status: Enabled, Prefix: csv/, ExpirationInDays: 30}]}
  AnyAlarm:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: any, AlarmRule: ALARM(one)}
"""
"""Resources beside Lanework's own: an emulator's CloudFormation drops parts of the first, and doesn't have the last."""


class Bench:
    """A running stack, and what a test does with it."""

    def __init__(self, stack: RunningStack, reported: Sequence[str] = ()) -> None:
        self.stack, self.reported = stack, reported
        self.session = boto3.Session("test", "test", region_name=stack.handle.region)
        self.sqs = self.session.client("sqs", endpoint_url=stack.handle.endpoint)

    def send(self, lane: Lane, order: str, *, seconds: float = 0) -> None:
        url = f"{self.stack.handle.endpoint}/000000000000/{self.stack.handle.stack}-{lane}"
        self.sqs.send_message(QueueUrl=url, MessageBody=f'{{"id": "{order}", "seconds": {seconds}}}')

    def note(self, order: str, kind: str = "done") -> dict[str, str]:
        table = f"{self.stack.handle.stack}-app"
        found = self.stack.clients.dynamodb.get_item(TableName=table, Key={"pk": {"S": order}, "sk": {"S": kind}})
        return {name: value.get("S", "") for name, value in found.get("Item", {}).items()}

    def wait_for_note(self, order: str, kind: str = "done") -> dict[str, str]:
        wait_for(lambda: bool(self.note(order, kind)), within=SOON, what=f"{order} to be {kind}")
        return self.note(order, kind)


def a_project(root: Path) -> Project:
    (root / "handlers").mkdir(parents=True)
    (root / "shared").mkdir()
    (root / "handlers" / "worker.py").write_text(WORKER)
    for name in ("clock.py", "stream.py"):
        (root / "handlers" / name).write_text("def handler(event, context):\n    return {}\n")
    (root / "handlers" / "api.py").write_text('def handler(event, context):\n    return {"statusCode": 204}\n')
    (root / "shared" / "stub.py").write_text('VERSION = "1"\n')
    (root / "shared" / "requirements.txt").write_text("# boto3 is Lambda's\n")
    shutil.copy(ROOT / "template.yaml", root / "template.yaml")
    return project_at(root)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as env:
        env.setenv("AWS_ACCESS_KEY_ID", "AKIAREALLYTHEUSERS")
        env.setenv("SECRET", "the user's")
        project, reported = a_project(tmp_path_factory.mktemp("shop")), list[str]()
        text = project.template.read_text().replace("\nResources:\n", f"\nResources:{OWN}", 1)
        clock = "      FunctionName: !Sub ${AWS::StackName}-clock\n"
        letters = "      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt BatchDeadLetterQueue.Arn}\n"
        project.template.write_text(text.replace(clock, f"{clock}{letters}"))
        with embedded_stack(project, port=free_port(), report=reported.append, checks_rights=UNDER_IAM) as stack:
            yield Bench(stack, reported)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def members(group: int) -> list[str]:
    """Return the living processes of a process group."""
    command = ["ps", "-eo", "pgid=,stat=,args="]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [row.split(maxsplit=2) for row in table.splitlines()]
    return [row[2] for row in rows if int(row[0]) == group and not row[1].startswith("Z")]


def test_what_the_template_declares_is_there(bench: Bench) -> None:
    queues = bench.sqs.list_queues()["QueueUrls"]
    jobs = bench.stack.clients.dynamodb.describe_table(TableName="lanework-jobs")["Table"]
    functions = bench.stack.clients.functions.list_functions()["Functions"]

    assert {url.rpartition("/")[2] for url in queues} == {
        f"lanework-{lane}{end}" for lane in Lane for end in ("", "-dlq")
    }
    assert {index["IndexName"] for index in jobs["GlobalSecondaryIndexes"]} == {"recent", "sweep"}
    workers = {f"lanework-worker-{lane}" for lane in Lane}
    assert {one["FunctionName"] for one in functions} == workers | {"lanework-clock", "lanework-api"}
    assert bench.stack.outputs["JobsTableName"] == "lanework-jobs"


@pytest.mark.parametrize("table", ["lanework-jobs", "lanework-app"])
def test_what_the_emulator_drops_of_a_table_is_made_good(table: str, bench: Bench) -> None:
    database = bench.stack.clients.dynamodb
    recovery = database.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]

    assert database.describe_time_to_live(TableName=table)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "expires_at",
    }
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_what_the_emulator_drops_of_a_bucket_and_of_a_function_is_made_good(bench: Bench) -> None:
    clients, bucket = bench.stack.clients, f"{bench.stack.handle.stack}-reports"
    (encryption,) = clients.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    (rule,) = clients.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    clock = clients.functions.get_function_configuration(FunctionName=f"{bench.stack.handle.stack}-clock")

    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert (rule["ID"], rule["Expiration"]["Days"], rule["Filter"]["Prefix"]) == ("old", 30, "csv/")
    assert clock["DeadLetterConfig"]["TargetArn"].endswith("-batch-dlq")


def test_a_resource_that_the_emulator_does_not_have_is_left_out_by_its_name(bench: Bench) -> None:
    assert list(bench.reported[:1]) == [
        "left out here: AnyAlarm, since the emulator has no AWS::CloudWatch::CompositeAlarm"
    ]


@pytest.mark.parametrize("lane", Lane)
def test_a_message_reaches_its_lanes_worker_which_sees_nothing_of_the_users(lane: Lane, bench: Bench) -> None:
    bench.send(lane, f"hello-{lane}")

    note = bench.wait_for_note(f"hello-{lane}")
    assert (note["lane"], note["AWS_ENDPOINT_URL"]) == (lane.value, bench.stack.handle.endpoint)
    assert note["AWS_ACCESS_KEY_ID"].startswith("ASIA" if UNDER_IAM else "000000000000")
    assert note["SECRET"] == ""
    assert note["developer's"] == "[]"  # packages that requirements.txt doesn't name


def test_workers_of_lower_lanes_yield_the_cpu_to_those_of_higher_ones(bench: Bench) -> None:
    for lane in Lane:
        bench.send(lane, f"nice-{lane}")
    ours = os.getpriority(os.PRIO_PROCESS, bench.stack.handle.pid)

    found = {lane: int(bench.wait_for_note(f"nice-{lane}")["nice"]) - ours for lane in Lane}

    assert found == {Lane.CRITICAL: 0, Lane.HIGH: 2, Lane.MEDIUM: 5, Lane.LOW: 10, Lane.BATCH: 15}


def test_what_a_function_writes_can_be_read_back_once(bench: Bench) -> None:
    tail = LogTail(clients=bench.stack.clients, stack=bench.stack.handle.stack, since=datetime.now(UTC))
    bench.send(Lane.LOW, "logged")
    lines: list[str] = []

    def is_logged() -> bool:
        lines.extend(line.text for line in tail.read() if line.function == "lanework-worker-low")
        return any('"logged"' in line for line in lines)

    wait_for(is_logged, within=SOON, what="the line")

    assert tail.read() == []
    assert len(lines) == 1


def test_an_edited_file_is_deployed_and_a_job_that_has_begun_ends_on_the_old_code(bench: Bench) -> None:
    project, stop = bench.stack.deployer.project, threading.Event()
    outcomes = redeploy_on_change(bench.stack, stop)
    bench.send(Lane.LOW, "begun-before", seconds=4)
    bench.wait_for_note("begun-before", "begun")
    edit = threading.Timer(0.5, (project.shared / "stub.py").write_text, ['VERSION = "2"\n'])
    edit.start()

    outcome = next(outcomes)
    bench.send(Lane.LOW, "sent-after")

    assert (outcome.changed, outcome.problem) == (("shared/stub.py",), None)
    assert bench.wait_for_note("sent-after")["code"] == "2"
    assert bench.wait_for_note("begun-before")["code"] == "1"
    outcomes.close()


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        ("VERSION = (\n", r"stub\.py:1: .*never closed"),
        ("\nVERSION = version\n", r"stub\.py:2: NameError: .*'version'"),
        ("", r"worker\.py:5: ImportError: .*VERSION"),
    ],
)
def test_a_mistake_in_an_edited_file_is_told_and_the_old_code_goes_on(
    mistake: str, complaint: str, bench: Bench
) -> None:
    file = bench.stack.deployer.project.shared / "stub.py"
    before = file.read_text()
    file.write_text(mistake)

    with pytest.raises(StackError, match=complaint):
        bench.stack.deployer.deploy()

    file.write_text(before)
    order = f"after-mistake-{len(mistake)}"
    bench.send(Lane.HIGH, order)
    assert bench.wait_for_note(order)["lane"] == "high"


def test_a_resource_that_fails_is_named_and_the_stack_stays_as_it_was(bench: Bench) -> None:
    template = bench.stack.deployer.project.template
    before = template.read_text()
    template.write_text(before.replace("VisibilityTimeout: 65 ", "VisibilityTimeout: no "))

    with pytest.raises(StackError, match=r"^template\.yaml: MediumQueue \(AWS::SQS::Queue\): .*VisibilityTimeout"):
        bench.stack.deployer.deploy()

    template.write_text(before)
    bench.send(Lane.MEDIUM, "after-failure")
    assert bench.wait_for_note("after-failure")["lane"] == "medium"


def test_a_project_runs_one_stack_at_a_time_and_its_handle_says_where(bench: Bench) -> None:
    project = bench.stack.deployer.project

    assert running_in(project.root) == bench.stack.handle
    with (
        pytest.raises(StackError, match=f"runs already, at {bench.stack.handle.endpoint}"),
        embedded_stack(project, checks_rights=UNDER_IAM),
    ):
        pass


def test_a_fresh_stack_beside_it_takes_another_port_and_leaves_no_trace(bench: Bench) -> None:
    project, taken = bench.stack.deployer.project, int(bench.stack.handle.endpoint.rpartition(":")[2])

    with embedded_stack(project, fresh=True, port=taken, checks_rights=UNDER_IAM) as fresh:
        assert fresh.handle.endpoint != bench.stack.handle.endpoint
        assert Bench(fresh).note("hello-low") == {}

    assert running_in(project.root) == bench.stack.handle
    assert [path.name for path in project.home.iterdir() if path.name.startswith("fresh-")] == []


def test_stopping_ends_a_job_that_will_not_and_leaves_no_process(tmp_path: Path) -> None:
    with embedded_stack(
        a_project(tmp_path), port=free_port(), drain=timedelta(seconds=0.2), checks_rights=UNDER_IAM
    ) as stack:
        Bench(stack).send(Lane.BATCH, "endless", seconds=600)
        Bench(stack).wait_for_note("endless", "begun")
        assert len(members(stack.handle.pid)) == 2

    assert members(stack.handle.pid) == []
    assert running_in(stack.deployer.project.root) is None


def test_stopping_lets_a_job_finish_and_what_it_wrote_is_there_at_the_next_start_on_another_port(
    tmp_path: Path,
) -> None:
    project = a_project(tmp_path)
    with embedded_stack(project, port=free_port(), checks_rights=UNDER_IAM) as stack:
        Bench(stack).send(Lane.LOW, "nearly-done", seconds=1)
        Bench(stack).wait_for_note("nearly-done", "begun")

    with embedded_stack(project, port=free_port(), checks_rights=UNDER_IAM) as again:
        assert again.handle.endpoint != stack.handle.endpoint
        assert Bench(again).note("nearly-done")["code"] == "1"
        Bench(again).send(Lane.LOW, "next-day")
        assert Bench(again).wait_for_note("next-day")["AWS_ENDPOINT_URL"] == again.handle.endpoint


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (lambda text: text.replace("Properties:", "Properties: [", 1), r"template\.yaml is not valid YAML"),
        (lambda text: text.replace("Type: AWS::SQS::Queue\n", "Type: AWS::SQS::Quue\n", 1), r"AWS::SQS::Quue"),
        (
            lambda text: text.replace("VisibilityTimeout: 65 ", "VisibilityTimeout: no "),
            r"MediumQueue .*VisibilityTimeout",
        ),
        (lambda text: text.replace("Queue: !GetAtt LowQueue.Arn", "Queues: []"), r"LowWorkerLane"),
    ],
    ids=["yaml", "unknown type", "bad property", "transform"],
)
def test_a_broken_template_is_one_clear_line_and_nothing_stays(
    break_it: Callable[[str], str], complaint: str, tmp_path: Path
) -> None:
    project, port = a_project(tmp_path), free_port()
    project.template.write_text(break_it(project.template.read_text()))

    with (
        pytest.raises(StackError, match=complaint) as told,
        embedded_stack(project, port=port, checks_rights=UNDER_IAM),
    ):
        pass

    assert "\n" not in str(told.value)
    assert is_free(port)
    assert running_in(project.root) is None


def test_an_emulator_that_dies_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with embedded_stack(a_project(tmp_path), port=free_port(), checks_rights=UNDER_IAM) as stack:
        stack.emulator.check_alive()
        os.kill(stack.handle.pid, signal.SIGKILL)
        stack.emulator.process.wait()

        with pytest.raises(StackError, match=r"ended by itself \(status -9\)"):
            stack.emulator.check_alive()
        with pytest.raises(StackError, match="can't reach the emulator"):
            stack.deployer.deploy()


STARTER = """
import sys, time
from pathlib import Path
from lanework.local.project import project_at
from lanework.local.stack.embedded import embedded_stack
with embedded_stack(project_at(Path(sys.argv[1])), port=int(sys.argv[2])) as stack:
    print(stack.handle.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_whoever_starts_the_stack_takes_it_along_when_ended(number: signal.Signals, tmp_path: Path) -> None:
    project, port = a_project(tmp_path), free_port()
    command = [sys.executable, "-c", STARTER, str(project.root), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        emulator = int(starter.stdout.readline())
        assert answers(f"http://127.0.0.1:{port}")
        with contextlib.suppress(ProcessLookupError):
            starter.send_signal(number)
        starter.communicate(timeout=SOON.total_seconds())

    wait_for(lambda: members(emulator) == [], within=SOON, what="the emulator to end")
    assert is_free(port)
    assert running_in(project.root) is None


def test_emulators_that_start_at_the_same_moment_do_not_share_a_port(tmp_path: Path) -> None:
    def start(number: int) -> Emulator:
        return start_emulator(tmp_path / str(number), persist=False, drain=timedelta(0))

    with ThreadPoolExecutor(3) as threads:
        started = list(threads.map(start, range(3)))
    try:
        assert len({one.endpoint for one in started}) == 3
    finally:
        for one in started:
            one.stop()
