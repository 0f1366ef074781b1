"""A CDK app as an adopter writes it; the tests of tests/cdk run it in the environment that has the CDK."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from aws_cdk import App, Environment, RemovalPolicy, Stack, Tags
from aws_cdk.aws_ec2 import SecurityGroup, SubnetType, Vpc
from aws_cdk.aws_iam import Role, ServicePrincipal
from aws_cdk.aws_kms import Key
from constructs import Construct

from lanework.cdk import Lanework
from lanework.errors import LaneworkError

HERE = {"runtime": os.environ["RUNTIME"], "architecture": os.environ["ARCHITECTURE"]}


class Shop(Stack):  # type: ignore[misc] # the CDK isn't in the environment that types are checked in
    """Lanework, and a role that enqueues; it is deployed to whatever account and region."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        jobs = Lanework(self, "Jobs", app="jobs:app", alarm_email="ops@shop.example", high_workers=12, **HERE)
        jobs.grant_enqueue(Role(self, "Web", assumed_by=ServicePrincipal("lambda.amazonaws.com")))


class Closed(Stack):  # type: ignore[misc] # the CDK isn't in the environment that types are checked in
    """Lanework in a VPC, encrypted with a key that this stack makes; in one account and region."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, env=Environment(account="123456789012", region="eu-central-1"))
        vpc = Vpc(self, "Vpc", availability_zones=["eu-central-1a", "eu-central-1b"])
        group = SecurityGroup(self, "Group", vpc=vpc)
        self.jobs = Lanework(
            self,
            "Jobs",
            kms_key=Key(self, "Key").key_arn,
            vpc_subnets=vpc.select_subnets(subnet_type=SubnetType.PRIVATE_WITH_EGRESS).subnet_ids,
            vpc_security_groups=[group.security_group_id],
            api_access="none",
            **HERE,
        )
        table = self.jobs.template.get_resource("JobsTable")
        table.apply_removal_policy(RemovalPolicy.RETAIN)
        Tags.of(self).add("team", "shop")


class Reader(Stack):  # type: ignore[misc] # the CDK isn't in the environment that types are checked in
    """A stack beside, which asks another one for its queue, its table and an output."""

    def __init__(self, scope: Construct, construct_id: str, jobs: Lanework) -> None:
        super().__init__(scope, construct_id, env=Environment(account="123456789012", region="eu-central-1"))
        role = Role(self, "Role", assumed_by=ServicePrincipal("lambda.amazonaws.com"))
        jobs.lane("high").queue.grant_send_messages(role)
        jobs.lane("high").dead_letters.grant_consume_messages(role)
        jobs.lane("high").queue.grant_purge(role)
        jobs.table.grant_read_data(role)
        self.export_value(jobs.output("JobsTableName"), name="table")


def refused() -> dict[str, str]:
    """Return what is said to mistakes, by name."""
    jobs = Lanework(Stack(app := App(outdir=".refused", context={"aws:cdk:bundling-stacks": []}), "Fine"), "Jobs")
    tries: dict[str, Callable[[], object]] = {
        "parameter": lambda: Lanework(Stack(app, "A"), "Jobs", alarm_mail="ops@shop.example"),
        "value": lambda: Lanework(Stack(app, "B"), "Jobs", log_level="LOUD"),
        "half a VPC": lambda: Lanework(Stack(app, "C"), "Jobs", vpc_subnets=["subnet-1", "subnet-2"]),
        "application": lambda: Lanework(Stack(app, "D"), "Jobs", app="shop.tasks:app"),
        "project": lambda: Lanework(Stack(app, "E"), "Jobs", project="/"),
        "twice": lambda: Lanework(jobs.node.scope, "Again"),
        "stack": lambda: Lanework(Stack(app, "F" * 49), "Jobs"),
        "lane": lambda: jobs.lane("hihg"),
        "output": lambda: jobs.output("ApiAdress"),
    }
    said = {}
    for name, one in tries.items():
        try:
            one()
        except LaneworkError as error:
            said[name] = str(error)
    return said


if __name__ == "__main__":
    app = App(outdir=sys.argv[1])
    Shop(app, "ShopJobs")
    Reader(app, "Reader", Closed(app, "Closed").jobs)
    app.synth()
    sys.stdout.write(json.dumps(refused()))
