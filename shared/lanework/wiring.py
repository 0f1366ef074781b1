"""What the ports of an application on AWS are made of."""

from __future__ import annotations

import logging
import random
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from ulid import ULIDGenerator

from lanework.engine.ports.bundle import Ports
from lanework.engine.ports.code_runner import CodeRunner
from lanework.engine.ports.webhooks import Webhooks
from lanework.errors import ConfigError, InvalidOptionError, UnavailableError
from lanework.forks import in_each_process
from lanework.model.events import Action, Event
from lanework.model.lanes import ALL_LANES, Lane
from lanework.model.webhooks import checked_webhook
from lanework.observe.logs import LogSink
from lanework.settings import Settings, is_in_lambda

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lanework.aws.clients import Clients
    from lanework.aws.event_bus import EventBridgeBus
    from lanework.engine.ports.bundle import Archive, EventSink
    from lanework.engine.ports.consumer import MessageConsumer
    from lanework.engine.ports.webhooks import Answered
    from lanework.engine.stats.alerting import Channel
    from lanework.settings import AlertSettings, MetricSettings


def aws_ports(
    settings: Settings, *, emit: Callable[[Event], object] | None = None, clients: Clients | None = None
) -> Ports:
    """
    Return the ports on AWS, or on whatever endpoint the settings name. boto is imported here, not before.

    Args:
        emit: Gets the events of the ports themselves, such as a delete that SQS refused; the log by default.
    """
    from lanework.aws.clients import Clients  # noqa: PLC0415
    from lanework.aws.flags import DynamoFlags  # noqa: PLC0415
    from lanework.aws.lanes import SqsLanes  # noqa: PLC0415
    from lanework.aws.ledger.group_commit import GroupCommitLedger  # noqa: PLC0415
    from lanework.aws.limits import DynamoLimits  # noqa: PLC0415
    from lanework.aws.scheduler import EventBridgeScheduler  # noqa: PLC0415
    from lanework.aws.schedules import DynamoSchedules  # noqa: PLC0415
    from lanework.aws.statistics import DynamoStatistics  # noqa: PLC0415
    from lanework.aws.workflows.workflows import DynamoWorkflows  # noqa: PLC0415

    clients, stack = clients or Clients(settings), settings.stack
    log = LogSink(logging.getLogger("lanework"))
    return Ports(
        ledger=GroupCommitLedger(clients, stack=stack, region=settings.region, index_shards=settings.index_shards),
        lanes=SqsLanes(clients, stack=stack, report=_failures_to(emit or log.emit)),
        flags=DynamoFlags(clients, stack=stack),
        limits=DynamoLimits(clients, stack=stack),
        schedules=DynamoSchedules(clients, stack=stack),
        scheduler=EventBridgeScheduler(clients, stack=stack),
        statistics=DynamoStatistics(clients, stack=stack, report=_unreadable_to(emit or log.emit)),
        workflows=DynamoWorkflows(clients, stack=stack),
        events=log,
        clock=utc_now,
        new_id=new_ulid,
        new_nonce=partial(token_urlsafe, 12),
        rand=random.random,
        code_runner=CodeRunner(renew=clients.renew),
        look_ahead=timedelta(seconds=settings.look_ahead_s),
        stack_lanes=settings.lanes,
        archive=_archive_of(settings, clients),
        webhooks=_webhooks(settings),
        connect=clients.connect,
        disconnect=clients.disconnect,
    )


def _archive_of(settings: Settings, clients: Clients) -> Archive | None:
    if not settings.archive_bucket:
        return None
    from lanework.aws.archive import S3Archive  # noqa: PLC0415

    return S3Archive(clients, bucket=settings.archive_bucket, stack=settings.stack)


def _webhooks(settings: Settings) -> Webhooks:
    return Webhooks(
        stack=settings.stack,
        webhook=_webhook_of(settings),
        post=partial(_post, may_be_private=settings.webhooks_to_private),
        secrets=_secrets_of(settings),
    )


def _webhook_of(settings: Settings) -> str | Callable[[], str | None] | None:
    """Return the webhook address of jobs that name none, or what reads it when one ends."""
    if settings.webhook_parameter is None:
        return None if settings.webhook is None else checked_webhook(settings.webhook)
    name = settings.webhook_parameter

    @cache
    def reader() -> Callable[[], str]:
        from lanework.aws.parameters import ssm_parameter  # noqa: PLC0415 - for what ends a job

        return ssm_parameter(settings, name)

    def read() -> str | None:
        try:
            return checked_webhook(reader()().strip())
        except (ConfigError, InvalidOptionError) as error:  # the job has ended: its webhook follows once this is mended
            msg = f"the parameter {name} gives no address for webhooks: {error}"
            raise UnavailableError(msg) from None

    return read


def _post(url: str, body: str, headers: Mapping[str, str], *, may_be_private: bool) -> Answered:
    """Send a webhook. What speaks HTTP and TLS is loaded where one is sent, and not before."""
    from lanework.observe.webhook_http import InternetPost  # noqa: PLC0415

    return InternetPost(may_be_private=may_be_private)(url, body, headers)


def _secrets_of(settings: Settings) -> Callable[[], Sequence[bytes]]:
    """Return what gives the keys that webhooks are signed with."""

    @cache
    def reader() -> Callable[[], str]:
        if settings.webhook_secret_parameter is None:
            return lambda: settings.webhook_secret or ""
        from lanework.aws.parameters import ssm_parameter  # noqa: PLC0415

        return ssm_parameter(settings, settings.webhook_secret_parameter)

    def secrets() -> Sequence[bytes]:
        from lanework.engine.webhooks.signature import secrets_in  # noqa: PLC0415 - few processes send webhooks

        return secrets_in(reader()())

    return secrets


def event_bus(settings: Settings, *, name: str) -> EventBridgeBus:
    """Return a bus of EventBridge's, for the function behind the table's stream."""
    from lanework.aws.clients import Clients  # noqa: PLC0415
    from lanework.aws.event_bus import EventBridgeBus  # noqa: PLC0415

    clients = Clients(settings)
    if is_in_lambda():
        _ = clients.events  # made in the init phase
    return EventBridgeBus(clients, name=name)


def aws_inbox(settings: Settings, *, emit: Callable[[Event], object]) -> MessageConsumer:
    """Return the consumer's side of the lanes on AWS, for a worker process; `emit` as in `aws_ports`."""
    from lanework.aws.clients import Clients  # noqa: PLC0415
    from lanework.aws.consumer import SqsConsumer  # noqa: PLC0415

    return SqsConsumer(Clients(settings), stack=settings.stack, report=_failures_to(emit))


def _failures_to(emit: Callable[[Event], object]) -> Callable[[Action, str, str], object]:
    """Return what makes an event of what SQS didn't do with received messages."""

    def report(action: Action, lane: str, reason: str) -> None:
        known = Lane(lane) if lane in ALL_LANES else None  # else a queue of events, which the reason names
        emit(Event(action=action, at=utc_now(), lane=known, reason=reason))

    return report


def metric_sinks(metrics: MetricSettings) -> tuple[EventSink, ...]:
    """Return the sink of CloudWatch's metrics, where they are wanted."""
    if not metrics.has_emf:
        return ()
    from lanework.observe.emf import EmfSink  # noqa: PLC0415

    return (EmfSink(),)


def alert_channels(alerts: AlertSettings) -> tuple[Channel, ...]:
    """Return the channels that are no jobs; what they need of AWS is looked up when there is something to tell."""
    if alerts.topic is None and alerts.webhook_parameter is None:
        return ()
    from lanework.aws.clients import Clients  # noqa: PLC0415
    from lanework.aws.parameters import ssm_parameter  # noqa: PLC0415
    from lanework.aws.sns_alerts import TopicChannel  # noqa: PLC0415
    from lanework.observe.alert_webhook import WebhookChannel  # noqa: PLC0415

    settings = Settings.from_env()
    channels: list[Channel] = []
    if alerts.topic is not None:
        channels.append(TopicChannel(Clients(settings), topic=alerts.topic))
    if alerts.webhook_parameter is not None:
        channels.append(WebhookChannel(ssm_parameter(settings, alerts.webhook_parameter)))
    return tuple(channels)


def utc_now() -> datetime:
    """Return the time in UTC, in the whole milliseconds that the ledger keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def new_ulid() -> str:
    """Return a new ULID: 26 characters that sort by the time they were made."""
    return _ids.new()


class _Ids:
    """ULIDs, each above the one before it, which a process that is forked must not go on counting from."""

    def __init__(self) -> None:
        in_each_process(self, _Ids._begin)

    def _begin(self) -> None:
        self._generator = ULIDGenerator()

    def new(self) -> str:
        return str(self._generator.generate())


_ids = _Ids()


def _unreadable_to(emit: Callable[[Event], object]) -> Callable[[str], object]:
    """Return what makes an event of statistics that can't be read."""
    return lambda reason: emit(Event(action=Action.STATISTICS_UNREADABLE, at=utc_now(), reason=reason))
