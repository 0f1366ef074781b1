"""Makes good what MiniStack's CloudFormation drops of a table: its time to live and its point-in-time recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lanework.local.clients import Clients


def make_good(template: dict[str, Any], stack: str, clients: Clients) -> None:
    """Set on the deployed tables what the template says and the emulator's deployment left out."""
    pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    names = {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for page in pages
        for one in page["StackResourceSummaries"]
        if one["ResourceType"] == "AWS::DynamoDB::Table"
    }
    for logical_id, table in names.items():
        properties = template["Resources"][logical_id].get("Properties", {})
        _set_time_to_live(table, properties.get("TimeToLiveSpecification"), clients)
        _set_recovery(table, properties.get("PointInTimeRecoverySpecification"), clients)


def _set_time_to_live(table: str, wanted: dict[str, Any] | None, clients: Clients) -> None:
    if wanted is None:
        return
    has = clients.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if (has == "ENABLED") != wanted["Enabled"]:  # DynamoDB refuses to set what is set already
        clients.dynamodb.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"AttributeName": wanted["AttributeName"], "Enabled": wanted["Enabled"]},
        )


def _set_recovery(table: str, wanted: dict[str, Any] | None, clients: Clients) -> None:
    if wanted is not None:
        clients.dynamodb.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": wanted["PointInTimeRecoveryEnabled"]},
        )
