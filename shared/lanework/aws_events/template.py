"""What the template needs for sources of events: queues, rules, subscriptions, and the function that enqueues."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lanework.aws_events.sources import EVENTS, EventPattern, S3Created, SnsTopic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanework.engine.jobtypes.subscription import Source

TIMEOUT_S: Final = 60

_QUEUE: Final = """\
  @Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ${AWS::StackName}-@name
      VisibilityTimeout: @visibility  # function timeout + 5
      MessageRetentionPeriod: 604800  # 7 days
      ReceiveMessageWaitTimeSeconds: 20
      SqsManagedSseEnabled: !If [DataHasKey, false, true]
      KmsMasterKeyId: !If [DataHasKey, !Ref KmsKey, !Ref AWS::NoValue]
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt @DeadLetterQueue.Arn
        maxReceiveCount: 1000

  @DeadLetterQueue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ${AWS::StackName}-@name-dlq
      RedriveAllowPolicy:
        redrivePermission: byQueue
        sourceQueueArns: [!Sub "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-@name"]
      MessageRetentionPeriod: 1209600  # 14 days
      ReceiveMessageWaitTimeSeconds: 20
      SqsManagedSseEnabled: !If [DataHasKey, false, true]
      KmsMasterKeyId: !If [DataHasKey, !Ref KmsKey, !Ref AWS::NoValue]

  @QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref @Queue]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: TlsOnly
            Effect: Deny
            Principal: "*"
            Action: sqs:*
            Resource: !GetAtt @Queue.Arn
            Condition: {Bool: {aws:SecureTransport: "false"}}
@senders
  @DeadLetterQueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref @DeadLetterQueue]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: TlsOnly
            Effect: Deny
            Principal: "*"
            Action: sqs:*
            Resource: !GetAtt @DeadLetterQueue.Arn
            Condition: {Bool: {aws:SecureTransport: "false"}}

  @DeadLettersAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub ${AWS::StackName}-@name-dead-letters
      AlarmDescription: An event of queue @name was no job - lanework dlq messages --queue @name
      Namespace: AWS/SQS
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{Name: QueueName, Value: !GetAtt @DeadLetterQueue.QueueName}]
      Statistic: Maximum
      Period: 60
      EvaluationPeriods: 5
      DatapointsToAlarm: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      TreatMissingData: notBreaching
      AlarmActions: [!Ref AlarmTopic]
      OKActions: [!Ref AlarmTopic]

"""

_SENDER: Final = """\
          - Sid: @sid
            Effect: Allow
            Principal: {Service: @service}
            Action: sqs:SendMessage
            Resource: !GetAtt AwsEventQueue.Arn
            Condition: {ArnEquals: {aws:SourceArn: [@arns]}@account}
"""

_FUNCTION: Final = """\
  AwsEventFunctionLogs:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      LogGroupName: !Sub /aws/lambda/${AWS::StackName}-aws-events
      RetentionInDays: !Ref LogRetentionDays
      KmsKeyId: !If [DataHasKey, !Ref KmsKey, !Ref AWS::NoValue]

  AwsEventFunctionRole:
    Type: AWS::IAM::Role
    Properties:
      Path: !Ref RolePath
      PermissionsBoundary: !If [RolesAreBounded, !Ref PermissionsBoundary, !Ref AWS::NoValue]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      ManagedPolicyArns:
        - !Ref JobPolicy
        - !If [FunctionsAreInVpc, !Ref NetworkPolicy, !Ref AWS::NoValue]
        - !If [TracesAreSent, !Ref TracingPolicy, !Ref AWS::NoValue]
      Policies:
        - PolicyName: aws-events
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: OwnQueues
                Effect: Allow
                Action:
                  - sqs:ChangeMessageVisibility
                  - sqs:DeleteMessage
                  - sqs:GetQueueAttributes
                  - sqs:ReceiveMessage
                Resource: [@queues]
              - Sid: OwnDeadLetters
                Effect: Allow
                Action: sqs:SendMessage
                Resource: [@dead_letters]
              - Sid: OwnLog
                Effect: Allow
                Action:
                  - logs:CreateLogStream
                  - logs:PutLogEvents
                Resource: !GetAtt AwsEventFunctionLogs.Arn

  AwsEventFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties:
      FunctionName: !Sub ${AWS::StackName}-aws-events
      Handler: handlers.events.handler
      Role: !GetAtt AwsEventFunctionRole.Arn
      Timeout: @timeout
      LoggingConfig: {LogGroup: !Ref AwsEventFunctionLogs}
      Events:
@mappings
  AwsEventErrorsAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub ${AWS::StackName}-aws-events-errors
      AlarmDescription: The function of events crashed or ran out of time - its log says why
      Namespace: AWS/Lambda
      MetricName: Errors
      Dimensions: [{Name: FunctionName, Value: !Ref AwsEventFunction}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 5
      DatapointsToAlarm: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      TreatMissingData: notBreaching
      AlarmActions: [!Ref AlarmTopic]
      OKActions: [!Ref AlarmTopic]
"""

_MAPPING: Final = """\
        @:
          Type: SQS
          Properties:
            Queue: !GetAtt @Queue.Arn
            BatchSize: 10
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 5}
"""


def sources_yaml(sources: Iterable[Source], *, template: str) -> str:
    """
    Return the resources of sources, as YAML below `Resources`; empty if there are none.

    Args:
        sources: In any order.
        template: The text that they become part of: a topic of its own is referred to, so that it is made first.
    """
    topics = _topics_in(template)
    ordered = sorted(sources, key=str)
    if not ordered:
        return ""
    queues = sorted({one.queue for one in ordered}, key=lambda name: (name != EVENTS, name))
    bases = [_base(name) for name in queues]
    parts = [_of_queue(base, name, ordered, topics) for base, name in zip(bases, queues, strict=True)]
    parts += [_rule(one) for one in ordered if isinstance(one, S3Created | EventPattern)]
    parts += [_subscription(one, topics) for one in ordered if isinstance(one, SnsTopic)]
    function = {
        "queues": ", ".join(f"!GetAtt {base}Queue.Arn" for base in bases),
        "dead_letters": ", ".join(f"!GetAtt {base}DeadLetterQueue.Arn" for base in bases),
        "mappings": "".join(_MAPPING.replace("@", base) for base in bases),
        "timeout": str(TIMEOUT_S),
    }
    return "".join(parts) + _filled(_FUNCTION, function)


def _topics_in(template: str) -> dict[str, str]:
    """Return the logical ids of a template's own topics, by their names."""
    found: dict[str, str] = {}
    logical_id = kind = ""
    for line in template.splitlines():
        if re.match(r"  \w+:", line):
            logical_id, kind = line.strip().partition(":")[0], ""
        elif line.startswith("    Type: "):
            kind = line.removeprefix("    Type: ").strip()
        elif kind == "AWS::SNS::Topic" and (name := re.search(r"\bTopicName: ([\w-]+)", line)):
            found[name[1]] = logical_id
    return found


def _of_queue(base: str, name: str, sources: Sequence[Source], topics: Mapping[str, str]) -> str:
    senders = _senders(sources, topics) if name == EVENTS else ""
    return _filled(_QUEUE, {"senders": senders, "name": name, "visibility": str(TIMEOUT_S + 5), "": base})


def _senders(sources: Sequence[Source], topics: Mapping[str, str]) -> str:
    """Return the statements by which the queue's policy lets in this stack's rules, the topics, and the buckets."""
    rules = [f"!GetAtt {_id(one)}.Arn" for one in sources if isinstance(one, S3Created | EventPattern)]
    sources_of_sns = [_topic_arn(one, topics) for one in sources if isinstance(one, SnsTopic)]
    buckets = sorted(
        {f'!Sub "arn:${{AWS::Partition}}:s3:::{one.bucket}"' for one in sources if isinstance(one, S3Created)}
    )
    account = ", StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}"  # a bucket's ARN doesn't say whose it is
    senders = (
        ("Rules", "events.amazonaws.com", rules, ""),
        ("Topics", "sns.amazonaws.com", sources_of_sns, ""),
        ("Buckets", "s3.amazonaws.com", buckets, account),
    )
    return "".join(
        _filled(_SENDER, {"sid": sid, "service": service, "arns": ", ".join(arns), "account": more})
        for sid, service, arns, more in senders
        if arns
    )


def _rule(source: S3Created | EventPattern) -> str:
    bus = f"      EventBusName: {source.bus}\n" if isinstance(source, EventPattern) and source.bus != "default" else ""
    return f"""\
  {_id(source)}:
    Type: AWS::Events::Rule
    Properties:
{bus}      Description: {json.dumps(str(source)[:500])}
      EventPattern: {json.dumps(source.pattern)}
      Targets: [{{Id: aws-events, Arn: !GetAtt AwsEventQueue.Arn}}]

"""


def _subscription(source: SnsTopic, topics: Mapping[str, str]) -> str:
    region = f"      Region: {source.topic.split(':')[3]}\n" if source.topic.startswith("arn:") else ""
    return f"""\
  {_id(source)}:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: {_topic_arn(source, topics)}
{region}      Protocol: sqs
      Endpoint: !GetAtt AwsEventQueue.Arn

"""


def _topic_arn(source: SnsTopic, topics: Mapping[str, str]) -> str:
    if source.topic in topics:
        return f"!Ref {topics[source.topic]}"
    if source.topic.startswith("arn:"):
        return source.topic
    return f'!Sub "arn:${{AWS::Partition}}:sns:${{AWS::Region}}:${{AWS::AccountId}}:{source.topic}"'


def _id(source: Source) -> str:
    kind = "AwsEventTopic" if isinstance(source, SnsTopic) else "AwsEventRule"
    return f"{kind}{sha256(str(source).encode()).hexdigest()[:10]}"


def _base(queue: str) -> str:
    return "AwsEvent" if queue == EVENTS else "AwsEvent" + "".join(word.capitalize() for word in queue.split("-"))


def _filled(text: str, words: dict[str, str]) -> str:
    """Return a text with `@word` replaced; `@` before a capital is how names of resources begin."""
    return re.sub(r"@([a-z_]*)", lambda found: words[found[1]], text)
