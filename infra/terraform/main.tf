# Made by `lanework terraform` from template.yaml: change that, and make this anew.

terraform {
  required_version = ">= 1.5"
  required_providers {
    archive = { source = "hashicorp/archive", version = ">= 2.4" }
    aws     = { source = "hashicorp/aws", version = ">= 5.0" }
    awscc   = { source = "hashicorp/awscc", version = ">= 1.0" }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

data "archive_file" "layer" {
  type        = "zip"
  source_dir  = "${var.build}/SharedLayer"
  output_path = "${var.build}/layer.zip"
}

resource "aws_s3_object" "layer" {
  bucket = var.code_bucket
  key    = "${var.stack}/layer-${data.archive_file.layer.output_sha256}.zip"
  source = data.archive_file.layer.output_path
}

data "archive_file" "functions" {
  type        = "zip"
  source_dir  = "${var.build}/CriticalWorker"
  output_path = "${var.build}/functions.zip"
}

resource "aws_s3_object" "functions" {
  bucket = var.code_bucket
  key    = "${var.stack}/functions-${data.archive_file.functions.output_sha256}.zip"
  source = data.archive_file.functions.output_path
}

locals {
  FunctionsAreInVpc = !(tostring(try(var.vpc_subnets[0], "")) == "")
  LinesAreJson = var.log_format == "JSON"
  LevelIsWarning = var.log_level == "WARNING"
  HasAdot = !(var.adot_layer == "")
  TracesAreSent = local.HasAdot || (var.tracing == "Active")
  DataHasKey = !(var.kms_key == "")
  RolesAreBounded = !(var.permissions_boundary == "")
  JobsAreArchived = !(var.archive_bucket == "")
  EventsAreTold = !(var.events_to_bus == "off")
  EndsOnly = var.events_to_bus == "ends"
  WebhookIsInSsm = !(var.webhook_parameter == "")
  WebhooksAreSigned = !(var.webhook_secret_parameter == "")
  CriticalIsOnLambda = var.critical_runs_on == "lambda"
  HighIsOnLambda = var.high_runs_on == "lambda"
  MediumIsOnLambda = var.medium_runs_on == "lambda"
  LowIsOnLambda = var.low_runs_on == "lambda"
  BatchIsOnLambda = var.batch_runs_on == "lambda"
  CriticalHasPollers = !(tostring(var.critical_pollers) == "0")
  ConcurrencyIsReserved = var.reserve_critical_concurrency == "true"
  AlertsHaveWebhook = !(var.alert_webhook_parameter == "")
  AlarmsAreMailed = !(var.alarm_email == "")
  TablesAreProtected = var.deletion_protection == "true"
  HasApi = !(var.api_access == "none")
  ApiIsPrivate = var.api_access == "private"
  ApiIsHttp = local.HasApi && (!local.ApiIsPrivate)
  ApiTakesJwt = var.api_access == "jwt"
  ApiTakesIam = var.api_access == "iam"
  ApiHasAuthorizer = local.ApiTakesJwt || local.ApiTakesIam
  ApiIsCapped = local.ConcurrencyIsReserved && (!(tostring(var.api_concurrency) == "0"))
  TokensAreInSsm = !(var.api_tokens_parameter == "")
  SmtpNeedsLogin = !(var.smtp_credentials_parameter == "")
  GatewaysNeedToken = !(var.gateway_token_parameter == "")
}

resource "terraform_data" "rules" {
  lifecycle {
    precondition {
      condition     = (((length(compact(var.vpc_subnets)) == 0) && (length(compact(var.vpc_security_groups)) == 0)) || ((!(length(compact(var.vpc_subnets)) == 0)) && (!(length(compact(var.vpc_security_groups)) == 0))))
      error_message = "Give VpcSubnets and VpcSecurityGroups together, or neither."
    }
    precondition {
      condition     = !(var.api_access == "jwt") || ((!(var.api_jwt_issuer == "")) && (!(length(compact(var.api_jwt_audience)) == 0)))
      error_message = "ApiAccess=jwt needs ApiJwtIssuer and ApiJwtAudience."
    }
    precondition {
      condition     = !(var.api_access == "private") || (!(length(compact(var.api_vpc_endpoints)) == 0))
      error_message = "ApiAccess=private needs ApiVpcEndpoints."
    }
  }
}

resource "awscc_dynamodb_table" "JobsTable" {
  table_name = "${var.stack}-jobs"
  billing_mode = "PAY_PER_REQUEST"
  deletion_protection_enabled = (local.TablesAreProtected ? true : false)
  attribute_definitions = [
    { attribute_name = "pk", attribute_type = "S" },
    { attribute_name = "sk", attribute_type = "S" },
    { attribute_name = "recent_shard", attribute_type = "S" },
    { attribute_name = "recent_key", attribute_type = "S" },
    { attribute_name = "sweep_shard", attribute_type = "S" },
    { attribute_name = "sweep_at", attribute_type = "N" },
  ]
  key_schema = jsonencode([{ "AttributeName" = "pk", "KeyType" = "HASH" }, { "AttributeName" = "sk", "KeyType" = "RANGE" }])
  global_secondary_indexes = [
    {
      index_name = "recent",
      key_schema = [
        { attribute_name = "recent_shard", key_type = "HASH" },
        { attribute_name = "recent_key", key_type = "RANGE" },
      ],
      projection = { projection_type = "KEYS_ONLY" },
    },
    {
      index_name = "sweep",
      key_schema = [
        { attribute_name = "sweep_shard", key_type = "HASH" },
        { attribute_name = "sweep_at", key_type = "RANGE" },
      ],
      projection = { projection_type = "KEYS_ONLY" },
    },
  ]
  stream_specification = (local.EventsAreTold ? { stream_view_type = "NEW_AND_OLD_IMAGES" } : null)
  time_to_live_specification = { attribute_name = "expires_at", enabled = true }
  point_in_time_recovery_specification = { point_in_time_recovery_enabled = true }
  sse_specification = {
    sse_enabled = true,
    sse_type = (local.DataHasKey ? "KMS" : null),
    kms_master_key_id = (local.DataHasKey ? var.kms_key : null),
  }
}

resource "awscc_dynamodb_table" "AppTable" {
  table_name = "${var.stack}-app"
  billing_mode = "PAY_PER_REQUEST"
  deletion_protection_enabled = (local.TablesAreProtected ? true : false)
  attribute_definitions = [{ attribute_name = "pk", attribute_type = "S" }, { attribute_name = "sk", attribute_type = "S" }]
  key_schema = jsonencode([{ "AttributeName" = "pk", "KeyType" = "HASH" }, { "AttributeName" = "sk", "KeyType" = "RANGE" }])
  time_to_live_specification = { attribute_name = "expires_at", enabled = true }
  point_in_time_recovery_specification = { point_in_time_recovery_enabled = true }
  sse_specification = {
    sse_enabled = true,
    sse_type = (local.DataHasKey ? "KMS" : null),
    kms_master_key_id = (local.DataHasKey ? var.kms_key : null),
  }
}

resource "awscc_iam_managed_policy" "JobPolicy" {
  description = "What a job may reach - the ledger, and the lanes to enqueue into"
  policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = concat(
      [{
        "Sid" = "Ledger",
        "Effect" = "Allow",
        "Action" = [
          "dynamodb:BatchGetItem",
          "dynamodb:BatchWriteItem",
          "dynamodb:GetItem",
          "dynamodb:PartiQLInsert",
          "dynamodb:PartiQLUpdate",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:UpdateItem",
        ],
        "Resource" = awscc_dynamodb_table.JobsTable.arn,
      }],
      [{
        "Sid" = "LedgerIndexes",
        "Effect" = "Allow",
        "Action" = "dynamodb:Query",
        "Resource" = [
          "${awscc_dynamodb_table.JobsTable.arn}/index/recent",
          "${awscc_dynamodb_table.JobsTable.arn}/index/sweep",
        ],
      }],
      [{
        "Sid" = "Tickets",
        "Effect" = "Allow",
        "Action" = "sqs:SendMessage",
        "Resource" = [
          awscc_sqs_queue.CriticalDeadLetterQueue.arn,
          awscc_sqs_queue.HighDeadLetterQueue.arn,
          awscc_sqs_queue.MediumDeadLetterQueue.arn,
          awscc_sqs_queue.LowDeadLetterQueue.arn,
          awscc_sqs_queue.BatchDeadLetterQueue.arn,
        ],
      }],
      [{
        "Sid" = "Enqueue",
        "Effect" = "Allow",
        "Action" = "sqs:SendMessage",
        "Resource" = [
          awscc_sqs_queue.CriticalQueue.arn,
          awscc_sqs_queue.HighQueue.arn,
          awscc_sqs_queue.MediumQueue.arn,
          awscc_sqs_queue.LowQueue.arn,
          awscc_sqs_queue.BatchQueue.arn,
        ],
      }],
      local.DataHasKey ? [{
        "Sid" = "Key",
        "Effect" = "Allow",
        "Action" = [
          "kms:Decrypt",
          "kms:DescribeKey",
          "kms:Encrypt",
          "kms:GenerateDataKey",
          "kms:ReEncryptFrom",
          "kms:ReEncryptTo",
        ],
        "Resource" = var.kms_key,
        "Condition" = {
          "StringEquals" = {
            "kms:ViaService" = [
              "dynamodb.${data.aws_region.current.id}.amazonaws.com",
              "sqs.${data.aws_region.current.id}.amazonaws.com",
            ],
          },
        },
      }] : [],
      local.JobsAreArchived ? [{
        "Sid" = "Archive",
        "Effect" = "Allow",
        "Action" = "s3:PutObject",
        "Resource" = "arn:${data.aws_partition.current.partition}:s3:::${var.archive_bucket}/${var.stack}/jobs/*",
      }] : [],
      local.WebhookIsInSsm ? [{
        "Sid" = "Webhook",
        "Effect" = "Allow",
        "Action" = "ssm:GetParameter",
        "Resource" = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:parameter${var.webhook_parameter}",
      }] : [],
      local.WebhooksAreSigned ? [{
        "Sid" = "WebhookSecret",
        "Effect" = "Allow",
        "Action" = "ssm:GetParameter",
        "Resource" = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:parameter${var.webhook_secret_parameter}",
      }] : [],
    ),
  })
}

resource "awscc_iam_managed_policy" "ApplicationPolicy" {
  description = "What the application's own jobs reach - its data, and the secrets of what they send by"
  policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = concat(
      [{
        "Sid" = "ApplicationData",
        "Effect" = "Allow",
        "Action" = [
          "dynamodb:BatchWriteItem",
          "dynamodb:DeleteItem",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:UpdateItem",
        ],
        "Resource" = awscc_dynamodb_table.AppTable.arn,
      }],
      [{
        "Sid" = "HealthCheck",
        "Effect" = "Allow",
        "Action" = "sqs:GetQueueAttributes",
        "Resource" = [
          awscc_sqs_queue.CriticalQueue.arn,
          awscc_sqs_queue.HighQueue.arn,
          awscc_sqs_queue.MediumQueue.arn,
          awscc_sqs_queue.LowQueue.arn,
          awscc_sqs_queue.BatchQueue.arn,
          awscc_sqs_queue.CriticalDeadLetterQueue.arn,
          awscc_sqs_queue.HighDeadLetterQueue.arn,
          awscc_sqs_queue.MediumDeadLetterQueue.arn,
          awscc_sqs_queue.LowDeadLetterQueue.arn,
          awscc_sqs_queue.BatchDeadLetterQueue.arn,
        ],
      }],
      local.SmtpNeedsLogin ? [{
        "Sid" = "SmtpLogin",
        "Effect" = "Allow",
        "Action" = "ssm:GetParameter",
        "Resource" = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:parameter${var.smtp_credentials_parameter}",
      }] : [],
      local.GatewaysNeedToken ? [{
        "Sid" = "GatewayToken",
        "Effect" = "Allow",
        "Action" = "ssm:GetParameter",
        "Resource" = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:parameter${var.gateway_token_parameter}",
      }] : [],
    ),
  })
}

resource "awscc_iam_managed_policy" "NetworkPolicy" {
  count = local.FunctionsAreInVpc ? 1 : 0
  description = "Network interfaces of functions in a VPC"
  policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "Look",
        "Effect" = "Allow",
        "Action" = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
        "Resource" = "*",
      },
      {
        "Sid" = "Interfaces",
        "Effect" = "Allow",
        "Action" = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:UnassignPrivateIpAddresses",
        ],
        "Resource" = "arn:${data.aws_partition.current.partition}:ec2:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:*/*",
      },
    ],
  })
}

resource "awscc_iam_managed_policy" "TracingPolicy" {
  count = local.TracesAreSent ? 1 : 0
  description = "Traces of functions, by Lambda or by OpenTelemetry"
  policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "Traces",
        "Effect" = "Allow",
        "Action" = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        "Resource" = "*",
      },
    ],
  })
}

resource "awscc_iam_managed_policy" "ProducerPolicy" {
  description = "Attach it to whatever enqueues from outside, such as a web application's role"
  policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = concat(
      [{
        "Sid" = "Ledger",
        "Effect" = "Allow",
        "Action" = [
          "dynamodb:BatchGetItem",
          "dynamodb:BatchWriteItem",
          "dynamodb:GetItem",
          "dynamodb:PartiQLInsert",
          "dynamodb:PartiQLUpdate",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:UpdateItem",
        ],
        "Resource" = awscc_dynamodb_table.JobsTable.arn,
      }],
      [{
        "Sid" = "LedgerIndexes",
        "Effect" = "Allow",
        "Action" = "dynamodb:Query",
        "Resource" = [
          "${awscc_dynamodb_table.JobsTable.arn}/index/recent",
          "${awscc_dynamodb_table.JobsTable.arn}/index/sweep",
        ],
      }],
      [{
        "Sid" = "CountDeadLetters",
        "Effect" = "Allow",
        "Action" = "sqs:GetQueueAttributes",
        "Resource" = [
          awscc_sqs_queue.CriticalDeadLetterQueue.arn,
          awscc_sqs_queue.HighDeadLetterQueue.arn,
          awscc_sqs_queue.MediumDeadLetterQueue.arn,
          awscc_sqs_queue.LowDeadLetterQueue.arn,
          awscc_sqs_queue.BatchDeadLetterQueue.arn,
        ],
      }],
      [{
        "Sid" = "Tickets",
        "Effect" = "Allow",
        "Action" = "sqs:SendMessage",
        "Resource" = [
          awscc_sqs_queue.CriticalDeadLetterQueue.arn,
          awscc_sqs_queue.HighDeadLetterQueue.arn,
          awscc_sqs_queue.MediumDeadLetterQueue.arn,
          awscc_sqs_queue.LowDeadLetterQueue.arn,
          awscc_sqs_queue.BatchDeadLetterQueue.arn,
        ],
      }],
      [{
        "Sid" = "Enqueue",
        "Effect" = "Allow",
        "Action" = ["sqs:GetQueueAttributes", "sqs:SendMessage"],
        "Resource" = [
          awscc_sqs_queue.CriticalQueue.arn,
          awscc_sqs_queue.HighQueue.arn,
          awscc_sqs_queue.MediumQueue.arn,
          awscc_sqs_queue.LowQueue.arn,
          awscc_sqs_queue.BatchQueue.arn,
        ],
      }],
      local.DataHasKey ? [{
        "Sid" = "Key",
        "Effect" = "Allow",
        "Action" = [
          "kms:Decrypt",
          "kms:DescribeKey",
          "kms:Encrypt",
          "kms:GenerateDataKey",
          "kms:ReEncryptFrom",
          "kms:ReEncryptTo",
        ],
        "Resource" = var.kms_key,
        "Condition" = {
          "StringEquals" = {
            "kms:ViaService" = [
              "dynamodb.${data.aws_region.current.id}.amazonaws.com",
              "sns.${data.aws_region.current.id}.amazonaws.com",
              "sqs.${data.aws_region.current.id}.amazonaws.com",
            ],
          },
        },
      }] : [],
      local.WebhookIsInSsm ? [{
        "Sid" = "Webhook",
        "Effect" = "Allow",
        "Action" = "ssm:GetParameter",
        "Resource" = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:parameter${var.webhook_parameter}",
      }] : [],
    ),
  })
}

resource "awscc_iam_managed_policy" "EnqueuePolicy" {
  description = "Attach it to what enqueues and does nothing else; it reads no job but to tell a repeated id"
  policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = concat(
      [{
        "Sid" = "Ledger",
        "Effect" = "Allow",
        "Action" = [
          "dynamodb:BatchGetItem",
          "dynamodb:BatchWriteItem",
          "dynamodb:GetItem",
          "dynamodb:PartiQLInsert",
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
        ],
        "Resource" = awscc_dynamodb_table.JobsTable.arn,
        "Condition" = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["job#*", "workflow#*", "unique#*", "debounce#*", "limit#quota*"] },
          "Null" = { "dynamodb:LeadingKeys" = "false" },
        },
      }],
      [{
        "Sid" = "Enqueue",
        "Effect" = "Allow",
        "Action" = "sqs:SendMessage",
        "Resource" = [
          awscc_sqs_queue.CriticalQueue.arn,
          awscc_sqs_queue.HighQueue.arn,
          awscc_sqs_queue.MediumQueue.arn,
          awscc_sqs_queue.LowQueue.arn,
          awscc_sqs_queue.BatchQueue.arn,
        ],
      }],
      local.DataHasKey ? [{
        "Sid" = "Key",
        "Effect" = "Allow",
        "Action" = [
          "kms:Decrypt",
          "kms:DescribeKey",
          "kms:Encrypt",
          "kms:GenerateDataKey",
          "kms:ReEncryptFrom",
          "kms:ReEncryptTo",
        ],
        "Resource" = var.kms_key,
        "Condition" = {
          "StringEquals" = {
            "kms:ViaService" = [
              "dynamodb.${data.aws_region.current.id}.amazonaws.com",
              "sqs.${data.aws_region.current.id}.amazonaws.com",
            ],
          },
        },
      }] : [],
    ),
  })
}

resource "awscc_sqs_queue" "CriticalQueue" {
  queue_name = "${var.stack}-critical"
  visibility_timeout = 35
  message_retention_period = 604800
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
  redrive_policy = jsonencode({ "deadLetterTargetArn" = awscc_sqs_queue.CriticalDeadLetterQueue.arn, "maxReceiveCount" = 1000 })
}

resource "awscc_sqs_queue" "CriticalDeadLetterQueue" {
  queue_name = "${var.stack}-critical-dlq"
  redrive_allow_policy = jsonencode({
    "redrivePermission" = "byQueue",
    "sourceQueueArns" = [
      "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${var.stack}-critical",
    ],
  })
  message_retention_period = 1209600
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "aws_sqs_queue_policy" "CriticalQueuePolicy" {
  queue_url = awscc_sqs_queue.CriticalQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.CriticalQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "aws_sqs_queue_policy" "CriticalDeadLetterQueuePolicy" {
  queue_url = awscc_sqs_queue.CriticalDeadLetterQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.CriticalDeadLetterQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "awscc_logs_log_group" "CriticalWorkerLogs" {
  log_group_name = "/aws/lambda/${var.stack}-worker-critical"
  retention_in_days = var.log_retention_days
  kms_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "awscc_iam_role" "CriticalWorkerRole" {
  path = var.role_path
  permissions_boundary = (local.RolesAreBounded ? var.permissions_boundary : null)
  assume_role_policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = { "Service" = "lambda.amazonaws.com" },
        "Action" = "sts:AssumeRole",
      },
    ],
  })
  managed_policy_arns = concat(
    [awscc_iam_managed_policy.JobPolicy.policy_arn],
    local.FunctionsAreInVpc ? [awscc_iam_managed_policy.NetworkPolicy[0].policy_arn] : [],
    local.TracesAreSent ? [awscc_iam_managed_policy.TracingPolicy[0].policy_arn] : [],
    [awscc_iam_managed_policy.ApplicationPolicy.policy_arn],
  )
  policies = [
    {
      policy_name = "own-lane",
      policy_document = jsonencode({
        "Version" = "2012-10-17",
        "Statement" = [
          {
            "Sid" = "OwnQueue",
            "Effect" = "Allow",
            "Action" = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            "Resource" = awscc_sqs_queue.CriticalQueue.arn,
          },
          {
            "Sid" = "OwnDeadLetters",
            "Effect" = "Allow",
            "Action" = "sqs:SendMessage",
            "Resource" = awscc_sqs_queue.CriticalDeadLetterQueue.arn,
          },
          {
            "Sid" = "OwnLog",
            "Effect" = "Allow",
            "Action" = ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource" = awscc_logs_log_group.CriticalWorkerLogs.arn,
          },
        ],
      }),
    },
  ]
}

resource "awscc_cloudwatch_alarm" "CriticalDeadLettersAlarm" {
  alarm_name = "${var.stack}-critical-dead-letters"
  alarm_description = "A job of lane critical died - lanework dlq list --lane critical"
  namespace = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.CriticalDeadLetterQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "CriticalAgeAlarm" {
  alarm_name = "${var.stack}-critical-age"
  alarm_description = "Jobs of lane critical wait too long - lanework stats"
  namespace = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.CriticalQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold = 31
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "CriticalErrorsAlarm" {
  alarm_name = "${var.stack}-critical-errors"
  alarm_description = "The worker of lane critical crashed or ran out of time - its log says why"
  namespace = "AWS/Lambda"
  metric_name = "Errors"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.CriticalWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "CriticalThrottlesAlarm" {
  alarm_name = "${var.stack}-critical-throttles"
  alarm_description = "The worker of lane critical is throttled - lanework doctor"
  namespace = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.CriticalWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_sqs_queue" "HighQueue" {
  queue_name = "${var.stack}-high"
  visibility_timeout = 35
  message_retention_period = 604800
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
  redrive_policy = jsonencode({ "deadLetterTargetArn" = awscc_sqs_queue.HighDeadLetterQueue.arn, "maxReceiveCount" = 1000 })
}

resource "awscc_sqs_queue" "HighDeadLetterQueue" {
  queue_name = "${var.stack}-high-dlq"
  redrive_allow_policy = jsonencode({
    "redrivePermission" = "byQueue",
    "sourceQueueArns" = [
      "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${var.stack}-high",
    ],
  })
  message_retention_period = 1209600
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "aws_sqs_queue_policy" "HighQueuePolicy" {
  queue_url = awscc_sqs_queue.HighQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.HighQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "aws_sqs_queue_policy" "HighDeadLetterQueuePolicy" {
  queue_url = awscc_sqs_queue.HighDeadLetterQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.HighDeadLetterQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "awscc_logs_log_group" "HighWorkerLogs" {
  log_group_name = "/aws/lambda/${var.stack}-worker-high"
  retention_in_days = var.log_retention_days
  kms_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "awscc_iam_role" "HighWorkerRole" {
  path = var.role_path
  permissions_boundary = (local.RolesAreBounded ? var.permissions_boundary : null)
  assume_role_policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = { "Service" = "lambda.amazonaws.com" },
        "Action" = "sts:AssumeRole",
      },
    ],
  })
  managed_policy_arns = concat(
    [awscc_iam_managed_policy.JobPolicy.policy_arn],
    local.FunctionsAreInVpc ? [awscc_iam_managed_policy.NetworkPolicy[0].policy_arn] : [],
    local.TracesAreSent ? [awscc_iam_managed_policy.TracingPolicy[0].policy_arn] : [],
    [awscc_iam_managed_policy.ApplicationPolicy.policy_arn],
  )
  policies = [
    {
      policy_name = "own-lane",
      policy_document = jsonencode({
        "Version" = "2012-10-17",
        "Statement" = [
          {
            "Sid" = "OwnQueue",
            "Effect" = "Allow",
            "Action" = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            "Resource" = awscc_sqs_queue.HighQueue.arn,
          },
          {
            "Sid" = "OwnDeadLetters",
            "Effect" = "Allow",
            "Action" = "sqs:SendMessage",
            "Resource" = awscc_sqs_queue.HighDeadLetterQueue.arn,
          },
          {
            "Sid" = "OwnLog",
            "Effect" = "Allow",
            "Action" = ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource" = awscc_logs_log_group.HighWorkerLogs.arn,
          },
        ],
      }),
    },
  ]
}

resource "awscc_cloudwatch_alarm" "HighDeadLettersAlarm" {
  alarm_name = "${var.stack}-high-dead-letters"
  alarm_description = "A job of lane high died - lanework dlq list --lane high"
  namespace = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.HighDeadLetterQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "HighAgeAlarm" {
  alarm_name = "${var.stack}-high-age"
  alarm_description = "Jobs of lane high wait too long - lanework stats"
  namespace = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.HighQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold = 35
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "HighErrorsAlarm" {
  alarm_name = "${var.stack}-high-errors"
  alarm_description = "The worker of lane high crashed or ran out of time - its log says why"
  namespace = "AWS/Lambda"
  metric_name = "Errors"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.HighWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "HighThrottlesAlarm" {
  alarm_name = "${var.stack}-high-throttles"
  alarm_description = "The worker of lane high is throttled - lanework doctor"
  namespace = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.HighWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_sqs_queue" "MediumQueue" {
  queue_name = "${var.stack}-medium"
  visibility_timeout = 65
  message_retention_period = 604800
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
  redrive_policy = jsonencode({ "deadLetterTargetArn" = awscc_sqs_queue.MediumDeadLetterQueue.arn, "maxReceiveCount" = 1000 })
}

resource "awscc_sqs_queue" "MediumDeadLetterQueue" {
  queue_name = "${var.stack}-medium-dlq"
  redrive_allow_policy = jsonencode({
    "redrivePermission" = "byQueue",
    "sourceQueueArns" = [
      "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${var.stack}-medium",
    ],
  })
  message_retention_period = 1209600
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "aws_sqs_queue_policy" "MediumQueuePolicy" {
  queue_url = awscc_sqs_queue.MediumQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.MediumQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "aws_sqs_queue_policy" "MediumDeadLetterQueuePolicy" {
  queue_url = awscc_sqs_queue.MediumDeadLetterQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.MediumDeadLetterQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "awscc_logs_log_group" "MediumWorkerLogs" {
  log_group_name = "/aws/lambda/${var.stack}-worker-medium"
  retention_in_days = var.log_retention_days
  kms_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "awscc_iam_role" "MediumWorkerRole" {
  path = var.role_path
  permissions_boundary = (local.RolesAreBounded ? var.permissions_boundary : null)
  assume_role_policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = { "Service" = "lambda.amazonaws.com" },
        "Action" = "sts:AssumeRole",
      },
    ],
  })
  managed_policy_arns = concat(
    [awscc_iam_managed_policy.JobPolicy.policy_arn],
    local.FunctionsAreInVpc ? [awscc_iam_managed_policy.NetworkPolicy[0].policy_arn] : [],
    local.TracesAreSent ? [awscc_iam_managed_policy.TracingPolicy[0].policy_arn] : [],
    [awscc_iam_managed_policy.ApplicationPolicy.policy_arn],
  )
  policies = [
    {
      policy_name = "own-lane",
      policy_document = jsonencode({
        "Version" = "2012-10-17",
        "Statement" = [
          {
            "Sid" = "OwnQueue",
            "Effect" = "Allow",
            "Action" = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            "Resource" = awscc_sqs_queue.MediumQueue.arn,
          },
          {
            "Sid" = "OwnDeadLetters",
            "Effect" = "Allow",
            "Action" = "sqs:SendMessage",
            "Resource" = awscc_sqs_queue.MediumDeadLetterQueue.arn,
          },
          {
            "Sid" = "OwnLog",
            "Effect" = "Allow",
            "Action" = ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource" = awscc_logs_log_group.MediumWorkerLogs.arn,
          },
        ],
      }),
    },
  ]
}

resource "awscc_cloudwatch_alarm" "MediumDeadLettersAlarm" {
  alarm_name = "${var.stack}-medium-dead-letters"
  alarm_description = "A job of lane medium died - lanework dlq list --lane medium"
  namespace = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.MediumDeadLetterQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "MediumAgeAlarm" {
  alarm_name = "${var.stack}-medium-age"
  alarm_description = "Jobs of lane medium wait too long - lanework stats"
  namespace = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.MediumQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold = 90
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "MediumErrorsAlarm" {
  alarm_name = "${var.stack}-medium-errors"
  alarm_description = "The worker of lane medium crashed or ran out of time - its log says why"
  namespace = "AWS/Lambda"
  metric_name = "Errors"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.MediumWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "MediumThrottlesAlarm" {
  alarm_name = "${var.stack}-medium-throttles"
  alarm_description = "The worker of lane medium is throttled - lanework doctor"
  namespace = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.MediumWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_sqs_queue" "LowQueue" {
  queue_name = "${var.stack}-low"
  visibility_timeout = 905
  message_retention_period = 604800
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
  redrive_policy = jsonencode({ "deadLetterTargetArn" = awscc_sqs_queue.LowDeadLetterQueue.arn, "maxReceiveCount" = 1000 })
}

resource "awscc_sqs_queue" "LowDeadLetterQueue" {
  queue_name = "${var.stack}-low-dlq"
  redrive_allow_policy = jsonencode({
    "redrivePermission" = "byQueue",
    "sourceQueueArns" = [
      "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${var.stack}-low",
    ],
  })
  message_retention_period = 1209600
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "aws_sqs_queue_policy" "LowQueuePolicy" {
  queue_url = awscc_sqs_queue.LowQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.LowQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "aws_sqs_queue_policy" "LowDeadLetterQueuePolicy" {
  queue_url = awscc_sqs_queue.LowDeadLetterQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.LowDeadLetterQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "awscc_logs_log_group" "LowWorkerLogs" {
  log_group_name = "/aws/lambda/${var.stack}-worker-low"
  retention_in_days = var.log_retention_days
  kms_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "awscc_iam_role" "LowWorkerRole" {
  path = var.role_path
  permissions_boundary = (local.RolesAreBounded ? var.permissions_boundary : null)
  assume_role_policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = { "Service" = "lambda.amazonaws.com" },
        "Action" = "sts:AssumeRole",
      },
    ],
  })
  managed_policy_arns = concat(
    [awscc_iam_managed_policy.JobPolicy.policy_arn],
    local.FunctionsAreInVpc ? [awscc_iam_managed_policy.NetworkPolicy[0].policy_arn] : [],
    local.TracesAreSent ? [awscc_iam_managed_policy.TracingPolicy[0].policy_arn] : [],
    [awscc_iam_managed_policy.ApplicationPolicy.policy_arn],
  )
  policies = [
    {
      policy_name = "own-lane",
      policy_document = jsonencode({
        "Version" = "2012-10-17",
        "Statement" = [
          {
            "Sid" = "OwnQueue",
            "Effect" = "Allow",
            "Action" = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            "Resource" = awscc_sqs_queue.LowQueue.arn,
          },
          {
            "Sid" = "OwnDeadLetters",
            "Effect" = "Allow",
            "Action" = "sqs:SendMessage",
            "Resource" = awscc_sqs_queue.LowDeadLetterQueue.arn,
          },
          {
            "Sid" = "OwnLog",
            "Effect" = "Allow",
            "Action" = ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource" = awscc_logs_log_group.LowWorkerLogs.arn,
          },
        ],
      }),
    },
  ]
}

resource "awscc_cloudwatch_alarm" "LowDeadLettersAlarm" {
  alarm_name = "${var.stack}-low-dead-letters"
  alarm_description = "A job of lane low died - lanework dlq list --lane low"
  namespace = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.LowDeadLetterQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "LowAgeAlarm" {
  alarm_name = "${var.stack}-low-age"
  alarm_description = "Jobs of lane low wait too long - lanework stats"
  namespace = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.LowQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold = 1200
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "LowErrorsAlarm" {
  alarm_name = "${var.stack}-low-errors"
  alarm_description = "The worker of lane low crashed or ran out of time - its log says why"
  namespace = "AWS/Lambda"
  metric_name = "Errors"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.LowWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "LowThrottlesAlarm" {
  alarm_name = "${var.stack}-low-throttles"
  alarm_description = "The worker of lane low is throttled - lanework doctor"
  namespace = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.LowWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_sqs_queue" "BatchQueue" {
  queue_name = "${var.stack}-batch"
  visibility_timeout = 905
  message_retention_period = 604800
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
  redrive_policy = jsonencode({ "deadLetterTargetArn" = awscc_sqs_queue.BatchDeadLetterQueue.arn, "maxReceiveCount" = 1000 })
}

resource "awscc_sqs_queue" "BatchDeadLetterQueue" {
  queue_name = "${var.stack}-batch-dlq"
  redrive_allow_policy = jsonencode({
    "redrivePermission" = "byQueue",
    "sourceQueueArns" = [
      "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${var.stack}-batch",
    ],
  })
  message_retention_period = 1209600
  receive_message_wait_time_seconds = 20
  sqs_managed_sse_enabled = (local.DataHasKey ? false : true)
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "aws_sqs_queue_policy" "BatchQueuePolicy" {
  queue_url = awscc_sqs_queue.BatchQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.BatchQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "aws_sqs_queue_policy" "BatchDeadLetterQueuePolicy" {
  queue_url = awscc_sqs_queue.BatchDeadLetterQueue.queue_url
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sqs:*",
        "Resource" = awscc_sqs_queue.BatchDeadLetterQueue.arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "awscc_logs_log_group" "BatchWorkerLogs" {
  log_group_name = "/aws/lambda/${var.stack}-worker-batch"
  retention_in_days = var.log_retention_days
  kms_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "awscc_iam_role" "BatchWorkerRole" {
  path = var.role_path
  permissions_boundary = (local.RolesAreBounded ? var.permissions_boundary : null)
  assume_role_policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = { "Service" = "lambda.amazonaws.com" },
        "Action" = "sts:AssumeRole",
      },
    ],
  })
  managed_policy_arns = concat(
    [awscc_iam_managed_policy.JobPolicy.policy_arn],
    local.FunctionsAreInVpc ? [awscc_iam_managed_policy.NetworkPolicy[0].policy_arn] : [],
    local.TracesAreSent ? [awscc_iam_managed_policy.TracingPolicy[0].policy_arn] : [],
    [awscc_iam_managed_policy.ApplicationPolicy.policy_arn],
  )
  policies = [
    {
      policy_name = "own-lane",
      policy_document = jsonencode({
        "Version" = "2012-10-17",
        "Statement" = [
          {
            "Sid" = "OwnQueue",
            "Effect" = "Allow",
            "Action" = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            "Resource" = awscc_sqs_queue.BatchQueue.arn,
          },
          {
            "Sid" = "OwnDeadLetters",
            "Effect" = "Allow",
            "Action" = "sqs:SendMessage",
            "Resource" = awscc_sqs_queue.BatchDeadLetterQueue.arn,
          },
          {
            "Sid" = "OwnLog",
            "Effect" = "Allow",
            "Action" = ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource" = awscc_logs_log_group.BatchWorkerLogs.arn,
          },
        ],
      }),
    },
  ]
}

resource "awscc_cloudwatch_alarm" "BatchDeadLettersAlarm" {
  alarm_name = "${var.stack}-batch-dead-letters"
  alarm_description = "A job of lane batch died - lanework dlq list --lane batch"
  namespace = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.BatchDeadLetterQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "BatchAgeAlarm" {
  alarm_name = "${var.stack}-batch-age"
  alarm_description = "Jobs of lane batch wait too long - lanework stats"
  namespace = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions = [{ name = "QueueName", value = awscc_sqs_queue.BatchQueue.queue_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold = 86400
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "BatchErrorsAlarm" {
  alarm_name = "${var.stack}-batch-errors"
  alarm_description = "The worker of lane batch crashed or ran out of time - its log says why"
  namespace = "AWS/Lambda"
  metric_name = "Errors"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.BatchWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "BatchThrottlesAlarm" {
  alarm_name = "${var.stack}-batch-throttles"
  alarm_description = "The worker of lane batch is throttled - lanework doctor"
  namespace = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.BatchWorker.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_scheduler_schedule_group" "ScheduleGroup" {
  name = var.stack
}

resource "awscc_iam_role" "SchedulerRole" {
  path = var.role_path
  permissions_boundary = (local.RolesAreBounded ? var.permissions_boundary : null)
  assume_role_policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = { "Service" = "scheduler.amazonaws.com" },
        "Action" = "sts:AssumeRole",
        "Condition" = {
          "StringEquals" = {
            "aws:SourceAccount" = data.aws_caller_identity.current.account_id,
            "aws:SourceArn" = awscc_scheduler_schedule_group.ScheduleGroup.arn,
          },
        },
      },
    ],
  })
  policies = [
    {
      policy_name = "prod-the-clock",
      policy_document = jsonencode({
        "Version" = "2012-10-17",
        "Statement" = [
          {
            "Sid" = "Clock",
            "Effect" = "Allow",
            "Action" = "lambda:InvokeFunction",
            "Resource" = awscc_lambda_function.Clock.arn,
          },
        ],
      }),
    },
  ]
}

resource "awscc_logs_log_group" "ClockLogs" {
  log_group_name = "/aws/lambda/${var.stack}-clock"
  retention_in_days = var.log_retention_days
  kms_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "awscc_iam_role" "ClockRole" {
  path = var.role_path
  permissions_boundary = (local.RolesAreBounded ? var.permissions_boundary : null)
  assume_role_policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = { "Service" = "lambda.amazonaws.com" },
        "Action" = "sts:AssumeRole",
      },
    ],
  })
  managed_policy_arns = concat(
    [awscc_iam_managed_policy.ProducerPolicy.policy_arn],
    local.FunctionsAreInVpc ? [awscc_iam_managed_policy.NetworkPolicy[0].policy_arn] : [],
    local.TracesAreSent ? [awscc_iam_managed_policy.TracingPolicy[0].policy_arn] : [],
  )
  policies = [
    {
      policy_name = "own-log-and-dead-letters",
      policy_document = jsonencode({
        "Version" = "2012-10-17",
        "Statement" = concat(
          [{
            "Sid" = "DeadLetters",
            "Effect" = "Allow",
            "Action" = [
              "sqs:ChangeMessageVisibility",
              "sqs:DeleteMessage",
              "sqs:GetQueueAttributes",
              "sqs:ReceiveMessage",
              "sqs:SendMessage",
            ],
            "Resource" = [
              awscc_sqs_queue.CriticalDeadLetterQueue.arn,
              awscc_sqs_queue.HighDeadLetterQueue.arn,
              awscc_sqs_queue.MediumDeadLetterQueue.arn,
              awscc_sqs_queue.LowDeadLetterQueue.arn,
              awscc_sqs_queue.BatchDeadLetterQueue.arn,
            ],
          }],
          [{
            "Sid" = "Alerts",
            "Effect" = "Allow",
            "Action" = "sns:Publish",
            "Resource" = awscc_sns_topic.AlarmTopic.topic_arn,
          }],
          local.AlertsHaveWebhook ? [{
            "Sid" = "AlertWebhook",
            "Effect" = "Allow",
            "Action" = "ssm:GetParameter",
            "Resource" = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:parameter${var.alert_webhook_parameter}",
          }] : [],
          [{
            "Sid" = "OwnLog",
            "Effect" = "Allow",
            "Action" = ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource" = awscc_logs_log_group.ClockLogs.arn,
          }],
        ),
      }),
    },
  ]
}

resource "awscc_logs_log_group" "ApiLogs" {
  count = local.HasApi ? 1 : 0
  log_group_name = "/aws/lambda/${var.stack}-api"
  retention_in_days = var.log_retention_days
  kms_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "awscc_logs_log_group" "ApiAccessLogs" {
  count = local.ApiIsHttp ? 1 : 0
  log_group_name = "${var.stack}-api-requests"
  retention_in_days = var.log_retention_days
  kms_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "awscc_iam_role" "ApiRole" {
  count = local.HasApi ? 1 : 0
  path = var.role_path
  permissions_boundary = (local.RolesAreBounded ? var.permissions_boundary : null)
  assume_role_policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = { "Service" = "lambda.amazonaws.com" },
        "Action" = "sts:AssumeRole",
      },
    ],
  })
  managed_policy_arns = concat(
    [awscc_iam_managed_policy.ProducerPolicy.policy_arn],
    local.FunctionsAreInVpc ? [awscc_iam_managed_policy.NetworkPolicy[0].policy_arn] : [],
    local.TracesAreSent ? [awscc_iam_managed_policy.TracingPolicy[0].policy_arn] : [],
  )
  policies = [
    {
      policy_name = "schedules-tokens-and-own-log",
      policy_document = jsonencode({
        "Version" = "2012-10-17",
        "Statement" = concat(
          [{
            "Sid" = "AddedSchedules",
            "Effect" = "Allow",
            "Action" = [
              "scheduler:CreateSchedule",
              "scheduler:DeleteSchedule",
              "scheduler:GetSchedule",
              "scheduler:UpdateSchedule",
            ],
            "Resource" = "arn:${data.aws_partition.current.partition}:scheduler:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:schedule/${awscc_scheduler_schedule_group.ScheduleGroup.name}/*",
          }],
          [{
            "Sid" = "WhoProdsForThem",
            "Effect" = "Allow",
            "Action" = "iam:PassRole",
            "Resource" = awscc_iam_role.SchedulerRole.arn,
            "Condition" = { "StringEquals" = { "iam:PassedToService" = "scheduler.amazonaws.com" } },
          }],
          local.TokensAreInSsm ? [{
            "Sid" = "Tokens",
            "Effect" = "Allow",
            "Action" = "ssm:GetParameter",
            "Resource" = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:parameter${var.api_tokens_parameter}",
          }] : [],
          [{
            "Sid" = "OwnLog",
            "Effect" = "Allow",
            "Action" = ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource" = awscc_logs_log_group.ApiLogs[0].arn,
          }],
        ),
      }),
    },
  ]
}

resource "awscc_apigatewayv2_api" "Api" {
  count = local.ApiIsHttp ? 1 : 0
  name = var.stack
  protocol_type = "HTTP"
}

resource "awscc_apigatewayv2_integration" "ApiIntegration" {
  count = local.ApiIsHttp ? 1 : 0
  api_id = awscc_apigatewayv2_api.Api[0].api_id
  integration_type = "AWS_PROXY"
  integration_uri = awscc_lambda_function.ApiFunction[0].arn
  payload_format_version = "2.0"
}

resource "awscc_apigatewayv2_route" "ApiRoute" {
  count = local.ApiIsHttp ? 1 : 0
  api_id = awscc_apigatewayv2_api.Api[0].api_id
  route_key = "$default"
  target = "integrations/${awscc_apigatewayv2_integration.ApiIntegration[0].integration_id}"
  authorization_type = (local.ApiTakesJwt ? "JWT" : (local.ApiTakesIam ? "AWS_IAM" : "NONE"))
  authorizer_id = (local.ApiTakesJwt ? awscc_apigatewayv2_authorizer.ApiAuthorizer[0].authorizer_id : null)
}

resource "awscc_apigatewayv2_authorizer" "ApiAuthorizer" {
  count = local.ApiTakesJwt ? 1 : 0
  api_id = awscc_apigatewayv2_api.Api[0].api_id
  name = "jwt"
  authorizer_type = "JWT"
  identity_source = ["$request.header.Authorization"]
  jwt_configuration = { issuer = var.api_jwt_issuer, audience = var.api_jwt_audience }
}

resource "awscc_apigatewayv2_stage" "ApiStage" {
  count = local.ApiIsHttp ? 1 : 0
  api_id = awscc_apigatewayv2_api.Api[0].api_id
  stage_name = "$default"
  auto_deploy = true
  access_log_settings = {
    destination_arn = awscc_logs_log_group.ApiAccessLogs[0].arn,
    format = "{\"requestId\":\"$context.requestId\",\"time\":\"$context.requestTime\",\"ip\":\"$context.identity.sourceIp\", \"method\":\"$context.httpMethod\",\"path\":\"$context.path\",\"status\":\"$context.status\", \"bytes\":\"$context.responseLength\",\"ms\":\"$context.responseLatency\",\"error\":\"$context.error.message\"}",
  }
  default_route_settings = { throttling_burst_limit = 200, throttling_rate_limit = 100 }
}

resource "awscc_lambda_permission" "ApiPermission" {
  count = local.ApiIsHttp ? 1 : 0
  function_name = awscc_lambda_function.ApiFunction[0].function_name
  action = "lambda:InvokeFunction"
  principal = "apigateway.amazonaws.com"
  source_arn = "arn:${data.aws_partition.current.partition}:execute-api:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${awscc_apigatewayv2_api.Api[0].api_id}/*/$default"
}

resource "awscc_apigateway_rest_api" "PrivateApi" {
  count = local.ApiIsPrivate ? 1 : 0
  name = var.stack
  endpoint_configuration = { types = ["PRIVATE"], vpc_endpoint_ids = var.api_vpc_endpoints }
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = "*",
        "Action" = "execute-api:Invoke",
        "Resource" = "execute-api:/*",
        "Condition" = { "StringEquals" = { "aws:SourceVpce" = var.api_vpc_endpoints } },
      },
    ],
  })
}

resource "awscc_apigateway_resource" "PrivateApiPaths" {
  count = local.ApiIsPrivate ? 1 : 0
  rest_api_id = awscc_apigateway_rest_api.PrivateApi[0].rest_api_id
  parent_id = awscc_apigateway_rest_api.PrivateApi[0].root_resource_id
  path_part = "{path+}"
}

resource "awscc_apigateway_method" "PrivateApiRoot" {
  count = local.ApiIsPrivate ? 1 : 0
  rest_api_id = awscc_apigateway_rest_api.PrivateApi[0].rest_api_id
  resource_id = awscc_apigateway_rest_api.PrivateApi[0].root_resource_id
  http_method = "ANY"
  authorization_type = "NONE"
  integration = {
    type = "AWS_PROXY",
    integration_http_method = "POST",
    uri = "arn:${data.aws_partition.current.partition}:apigateway:${data.aws_region.current.id}:lambda:path/2015-03-31/functions/${awscc_lambda_function.ApiFunction[0].arn}/invocations",
  }
}

resource "awscc_apigateway_method" "PrivateApiPath" {
  count = local.ApiIsPrivate ? 1 : 0
  rest_api_id = awscc_apigateway_rest_api.PrivateApi[0].rest_api_id
  resource_id = awscc_apigateway_resource.PrivateApiPaths[0].resource_id
  http_method = "ANY"
  authorization_type = "NONE"
  integration = {
    type = "AWS_PROXY",
    integration_http_method = "POST",
    uri = "arn:${data.aws_partition.current.partition}:apigateway:${data.aws_region.current.id}:lambda:path/2015-03-31/functions/${awscc_lambda_function.ApiFunction[0].arn}/invocations",
  }
}

resource "awscc_apigateway_deployment" "PrivateApiDeployment" {
  count = local.ApiIsPrivate ? 1 : 0
  rest_api_id = awscc_apigateway_rest_api.PrivateApi[0].rest_api_id
  depends_on = [awscc_apigateway_method.PrivateApiRoot, awscc_apigateway_method.PrivateApiPath]
}

resource "awscc_apigateway_stage" "PrivateApiStage" {
  count = local.ApiIsPrivate ? 1 : 0
  rest_api_id = awscc_apigateway_rest_api.PrivateApi[0].rest_api_id
  deployment_id = awscc_apigateway_deployment.PrivateApiDeployment[0].deployment_id
  stage_name = "jobs"
  method_settings = [
    {
      resource_path = "/*",
      http_method = "*",
      throttling_burst_limit = 200,
      throttling_rate_limit = 100,
    },
  ]
}

resource "awscc_lambda_permission" "PrivateApiPermission" {
  count = local.ApiIsPrivate ? 1 : 0
  function_name = awscc_lambda_function.ApiFunction[0].function_name
  action = "lambda:InvokeFunction"
  principal = "apigateway.amazonaws.com"
  source_arn = "arn:${data.aws_partition.current.partition}:execute-api:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${awscc_apigateway_rest_api.PrivateApi[0].rest_api_id}/*"
}

resource "awscc_logs_log_group" "EventsLogs" {
  count = local.EventsAreTold ? 1 : 0
  log_group_name = "/aws/lambda/${var.stack}-events"
  retention_in_days = var.log_retention_days
  kms_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "awscc_iam_role" "EventsRole" {
  count = local.EventsAreTold ? 1 : 0
  path = var.role_path
  permissions_boundary = (local.RolesAreBounded ? var.permissions_boundary : null)
  assume_role_policy_document = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Effect" = "Allow",
        "Principal" = { "Service" = "lambda.amazonaws.com" },
        "Action" = "sts:AssumeRole",
      },
    ],
  })
  managed_policy_arns = concat(
    local.FunctionsAreInVpc ? [awscc_iam_managed_policy.NetworkPolicy[0].policy_arn] : [],
    local.TracesAreSent ? [awscc_iam_managed_policy.TracingPolicy[0].policy_arn] : [],
  )
  policies = [
    {
      policy_name = "stream-to-bus",
      policy_document = jsonencode({
        "Version" = "2012-10-17",
        "Statement" = concat(
          [{
            "Sid" = "Stream",
            "Effect" = "Allow",
            "Action" = [
              "dynamodb:DescribeStream",
              "dynamodb:GetRecords",
              "dynamodb:GetShardIterator",
              "dynamodb:ListStreams",
            ],
            "Resource" = "${awscc_dynamodb_table.JobsTable.arn}/stream/*",
          }],
          local.DataHasKey ? [{
            "Sid" = "Key",
            "Effect" = "Allow",
            "Action" = ["kms:Decrypt", "kms:DescribeKey"],
            "Resource" = var.kms_key,
            "Condition" = { "StringEquals" = { "kms:ViaService" = ["dynamodb.${data.aws_region.current.id}.amazonaws.com"] } },
          }] : [],
          [{
            "Sid" = "Bus",
            "Effect" = "Allow",
            "Action" = ["events:DescribeEventBus", "events:PutEvents"],
            "Resource" = "arn:${data.aws_partition.current.partition}:events:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:event-bus/${var.event_bus}",
          }],
          [{
            "Sid" = "OwnLog",
            "Effect" = "Allow",
            "Action" = ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource" = awscc_logs_log_group.EventsLogs[0].arn,
          }],
        ),
      }),
    },
  ]
}

resource "awscc_cloudwatch_alarm" "EventsLateAlarm" {
  count = local.EventsAreTold ? 1 : 0
  alarm_name = "${var.stack}-events-late"
  alarm_description = "Events are over five minutes late on the bus, and lost after a day - the log of the events function says why"
  namespace = "AWS/Lambda"
  metric_name = "IteratorAge"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.EventsFunction[0].function_name }]
  statistic = "Maximum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold = 300000
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_sns_topic" "AlarmTopic" {
  topic_name = "${var.stack}-alarms"
  kms_master_key_id = (local.DataHasKey ? var.kms_key : null)
}

resource "aws_sns_topic_policy" "AlarmTopicPolicy" {
  arn = awscc_sns_topic.AlarmTopic.topic_arn
  policy = jsonencode({
    "Version" = "2012-10-17",
    "Statement" = [
      {
        "Sid" = "Alarms",
        "Effect" = "Allow",
        "Principal" = { "Service" = "cloudwatch.amazonaws.com" },
        "Action" = "sns:Publish",
        "Resource" = awscc_sns_topic.AlarmTopic.topic_arn,
        "Condition" = { "StringEquals" = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } },
      },
      {
        "Sid" = "TlsOnly",
        "Effect" = "Deny",
        "Principal" = "*",
        "Action" = "sns:Publish",
        "Resource" = awscc_sns_topic.AlarmTopic.topic_arn,
        "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } },
      },
    ],
  })
}

resource "awscc_sns_subscription" "AlarmMail" {
  count = local.AlarmsAreMailed ? 1 : 0
  topic_arn = awscc_sns_topic.AlarmTopic.topic_arn
  protocol = "email"
  endpoint = var.alarm_email
}

resource "awscc_cloudwatch_alarm" "ClockErrorsAlarm" {
  alarm_name = "${var.stack}-clock-errors"
  alarm_description = "The clock fails, so delayed jobs and schedules wait - its log says why"
  namespace = "AWS/Lambda"
  metric_name = "Errors"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.Clock.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_alarm" "ClockSilentAlarm" {
  alarm_name = "${var.stack}-clock-silent"
  alarm_description = "The clock does not tick, so delayed jobs and schedules wait - lanework doctor"
  namespace = "AWS/Lambda"
  metric_name = "Invocations"
  dimensions = [{ name = "FunctionName", value = awscc_lambda_function.Clock.function_name }]
  statistic = "Sum"
  period = 60
  evaluation_periods = 5
  comparison_operator = "LessThanThreshold"
  threshold = 1
  treat_missing_data = "breaching"
  alarm_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
  ok_actions = [awscc_sns_topic.AlarmTopic.topic_arn]
}

resource "awscc_cloudwatch_dashboard" "Dashboard" {
  dashboard_name = var.stack
  dashboard_body = jsonencode({
    "widgets" = [
      {
        "type" = "alarm",
        "x" = 0,
        "y" = 0,
        "width" = 24,
        "height" = 2,
        "properties" = {
          "title" = "Alarms",
          "alarms" = [
            "${awscc_cloudwatch_alarm.CriticalDeadLettersAlarm.arn}",
            "${awscc_cloudwatch_alarm.CriticalAgeAlarm.arn}",
            "${awscc_cloudwatch_alarm.CriticalErrorsAlarm.arn}",
            "${awscc_cloudwatch_alarm.CriticalThrottlesAlarm.arn}",
            "${awscc_cloudwatch_alarm.HighDeadLettersAlarm.arn}",
            "${awscc_cloudwatch_alarm.HighAgeAlarm.arn}",
            "${awscc_cloudwatch_alarm.HighErrorsAlarm.arn}",
            "${awscc_cloudwatch_alarm.HighThrottlesAlarm.arn}",
            "${awscc_cloudwatch_alarm.MediumDeadLettersAlarm.arn}",
            "${awscc_cloudwatch_alarm.MediumAgeAlarm.arn}",
            "${awscc_cloudwatch_alarm.MediumErrorsAlarm.arn}",
            "${awscc_cloudwatch_alarm.MediumThrottlesAlarm.arn}",
            "${awscc_cloudwatch_alarm.LowDeadLettersAlarm.arn}",
            "${awscc_cloudwatch_alarm.LowAgeAlarm.arn}",
            "${awscc_cloudwatch_alarm.LowErrorsAlarm.arn}",
            "${awscc_cloudwatch_alarm.LowThrottlesAlarm.arn}",
            "${awscc_cloudwatch_alarm.BatchDeadLettersAlarm.arn}",
            "${awscc_cloudwatch_alarm.BatchAgeAlarm.arn}",
            "${awscc_cloudwatch_alarm.BatchErrorsAlarm.arn}",
            "${awscc_cloudwatch_alarm.BatchThrottlesAlarm.arn}",
            "${awscc_cloudwatch_alarm.ClockErrorsAlarm.arn}",
            "${awscc_cloudwatch_alarm.ClockSilentAlarm.arn}",
          ],
        },
      },
      {
        "type" = "metric",
        "x" = 0,
        "y" = 2,
        "width" = 8,
        "height" = 6,
        "properties" = {
          "title" = "Waiting",
          "region" = "${data.aws_region.current.id}",
          "period" = 60,
          "metrics" = [
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-critical",
              { "label" = "critical", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-high",
              { "label" = "high", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-medium",
              { "label" = "medium", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-low",
              { "label" = "low", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-batch",
              { "label" = "batch", "stat" = "Maximum" },
            ],
          ],
        },
      },
      {
        "type" = "metric",
        "x" = 8,
        "y" = 2,
        "width" = 8,
        "height" = 6,
        "properties" = {
          "title" = "Age of the oldest message, s",
          "region" = "${data.aws_region.current.id}",
          "period" = 60,
          "metrics" = [
            [
              "AWS/SQS",
              "ApproximateAgeOfOldestMessage",
              "QueueName",
              "${var.stack}-critical",
              { "label" = "critical", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateAgeOfOldestMessage",
              "QueueName",
              "${var.stack}-high",
              { "label" = "high", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateAgeOfOldestMessage",
              "QueueName",
              "${var.stack}-medium",
              { "label" = "medium", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateAgeOfOldestMessage",
              "QueueName",
              "${var.stack}-low",
              { "label" = "low", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateAgeOfOldestMessage",
              "QueueName",
              "${var.stack}-batch",
              { "label" = "batch", "stat" = "Maximum" },
            ],
          ],
        },
      },
      {
        "type" = "metric",
        "x" = 16,
        "y" = 2,
        "width" = 8,
        "height" = 6,
        "properties" = {
          "title" = "Dead letters",
          "region" = "${data.aws_region.current.id}",
          "period" = 60,
          "metrics" = [
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-critical-dlq",
              { "label" = "critical", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-high-dlq",
              { "label" = "high", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-medium-dlq",
              { "label" = "medium", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-low-dlq",
              { "label" = "low", "stat" = "Maximum" },
            ],
            [
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              "QueueName",
              "${var.stack}-batch-dlq",
              { "label" = "batch", "stat" = "Maximum" },
            ],
          ],
        },
      },
      {
        "type" = "metric",
        "x" = 0,
        "y" = 8,
        "width" = 8,
        "height" = 6,
        "properties" = {
          "title" = "Running at once",
          "region" = "${data.aws_region.current.id}",
          "period" = 60,
          "metrics" = [
            [
              "AWS/Lambda",
              "ConcurrentExecutions",
              "FunctionName",
              "${var.stack}-worker-critical",
              { "label" = "critical", "stat" = "Maximum" },
            ],
            [
              "AWS/Lambda",
              "ConcurrentExecutions",
              "FunctionName",
              "${var.stack}-worker-high",
              { "label" = "high", "stat" = "Maximum" },
            ],
            [
              "AWS/Lambda",
              "ConcurrentExecutions",
              "FunctionName",
              "${var.stack}-worker-medium",
              { "label" = "medium", "stat" = "Maximum" },
            ],
            [
              "AWS/Lambda",
              "ConcurrentExecutions",
              "FunctionName",
              "${var.stack}-worker-low",
              { "label" = "low", "stat" = "Maximum" },
            ],
            [
              "AWS/Lambda",
              "ConcurrentExecutions",
              "FunctionName",
              "${var.stack}-worker-batch",
              { "label" = "batch", "stat" = "Maximum" },
            ],
          ],
        },
      },
      {
        "type" = "metric",
        "x" = 8,
        "y" = 8,
        "width" = 8,
        "height" = 6,
        "properties" = {
          "title" = "Invocations that failed",
          "region" = "${data.aws_region.current.id}",
          "period" = 60,
          "metrics" = [
            [
              "AWS/Lambda",
              "Errors",
              "FunctionName",
              "${var.stack}-worker-critical",
              { "label" = "critical", "stat" = "Sum" },
            ],
            [
              "AWS/Lambda",
              "Errors",
              "FunctionName",
              "${var.stack}-worker-high",
              { "label" = "high", "stat" = "Sum" },
            ],
            [
              "AWS/Lambda",
              "Errors",
              "FunctionName",
              "${var.stack}-worker-medium",
              { "label" = "medium", "stat" = "Sum" },
            ],
            [
              "AWS/Lambda",
              "Errors",
              "FunctionName",
              "${var.stack}-worker-low",
              { "label" = "low", "stat" = "Sum" },
            ],
            [
              "AWS/Lambda",
              "Errors",
              "FunctionName",
              "${var.stack}-worker-batch",
              { "label" = "batch", "stat" = "Sum" },
            ],
          ],
        },
      },
      {
        "type" = "metric",
        "x" = 16,
        "y" = 8,
        "width" = 8,
        "height" = 6,
        "properties" = {
          "title" = "Invocations that were throttled",
          "region" = "${data.aws_region.current.id}",
          "period" = 60,
          "metrics" = [
            [
              "AWS/Lambda",
              "Throttles",
              "FunctionName",
              "${var.stack}-worker-critical",
              { "label" = "critical", "stat" = "Sum" },
            ],
            [
              "AWS/Lambda",
              "Throttles",
              "FunctionName",
              "${var.stack}-worker-high",
              { "label" = "high", "stat" = "Sum" },
            ],
            [
              "AWS/Lambda",
              "Throttles",
              "FunctionName",
              "${var.stack}-worker-medium",
              { "label" = "medium", "stat" = "Sum" },
            ],
            [
              "AWS/Lambda",
              "Throttles",
              "FunctionName",
              "${var.stack}-worker-low",
              { "label" = "low", "stat" = "Sum" },
            ],
            [
              "AWS/Lambda",
              "Throttles",
              "FunctionName",
              "${var.stack}-worker-batch",
              { "label" = "batch", "stat" = "Sum" },
            ],
          ],
        },
      },
      {
        "type" = "metric",
        "x" = 0,
        "y" = 14,
        "width" = 8,
        "height" = 6,
        "properties" = {
          "title" = "How long an invocation takes, ms, p99",
          "region" = "${data.aws_region.current.id}",
          "period" = 60,
          "metrics" = [
            [
              "AWS/Lambda",
              "Duration",
              "FunctionName",
              "${var.stack}-worker-critical",
              { "label" = "critical", "stat" = "p99" },
            ],
            [
              "AWS/Lambda",
              "Duration",
              "FunctionName",
              "${var.stack}-worker-high",
              { "label" = "high", "stat" = "p99" },
            ],
            [
              "AWS/Lambda",
              "Duration",
              "FunctionName",
              "${var.stack}-worker-medium",
              { "label" = "medium", "stat" = "p99" },
            ],
            [
              "AWS/Lambda",
              "Duration",
              "FunctionName",
              "${var.stack}-worker-low",
              { "label" = "low", "stat" = "p99" },
            ],
            [
              "AWS/Lambda",
              "Duration",
              "FunctionName",
              "${var.stack}-worker-batch",
              { "label" = "batch", "stat" = "p99" },
            ],
          ],
        },
      },
      {
        "type" = "metric",
        "x" = 8,
        "y" = 14,
        "width" = 8,
        "height" = 6,
        "properties" = {
          "title" = "The clock",
          "region" = "${data.aws_region.current.id}",
          "period" = 60,
          "metrics" = [
            ["AWS/Lambda", "Invocations", "FunctionName", "${var.stack}-clock", { "stat" = "Sum" }],
            ["AWS/Lambda", "Errors", "FunctionName", "${var.stack}-clock", { "stat" = "Sum" }],
            ["AWS/Lambda", "Throttles", "FunctionName", "${var.stack}-clock", { "stat" = "Sum" }],
          ],
        },
      },
      {
        "type" = "metric",
        "x" = 16,
        "y" = 14,
        "width" = 8,
        "height" = 6,
        "properties" = {
          "title" = "The jobs table",
          "region" = "${data.aws_region.current.id}",
          "period" = 60,
          "metrics" = [
            ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", "${var.stack}-jobs", { "stat" = "Sum" }],
            ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", "${var.stack}-jobs", { "stat" = "Sum" }],
            ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", "${var.stack}-jobs", { "stat" = "Sum" }],
            ["AWS/DynamoDB", "ReadThrottleEvents", "TableName", "${var.stack}-jobs", { "stat" = "Sum" }],
          ],
        },
      },
    ],
  })
}

resource "awscc_lambda_function" "CriticalWorker" {
  code = { s3_bucket = var.code_bucket, s3_key = aws_s3_object.functions.key }
  function_name = "${var.stack}-worker-critical"
  handler = "handlers.worker.handler"
  memory_size = var.critical_memory
  role = awscc_iam_role.CriticalWorkerRole.arn
  runtime = var.runtime
  timeout = 30
  vpc_config = (local.FunctionsAreInVpc ? { subnet_ids = var.vpc_subnets, security_group_ids = var.vpc_security_groups } : null)
  environment = {
    variables = merge(
      {
        "LANEWORK_STACK" = var.stack,
        "LANEWORK_ACCOUNT" = data.aws_caller_identity.current.account_id,
        "LANEWORK_LANES" = "critical,high,medium,low,batch",
        "LANEWORK_LOOK_AHEAD" = var.look_ahead_seconds,
        "LANEWORK_ARCHIVE_BUCKET" = var.archive_bucket,
        "LANEWORK_WEBHOOK_PARAMETER" = var.webhook_parameter,
        "LANEWORK_WEBHOOK_SECRET_PARAMETER" = var.webhook_secret_parameter,
        "LANEWORK_WEBHOOKS_TO_PRIVATE" = var.webhooks_to_private,
        "LANEWORK_EMF" = var.cloud_watch_metrics,
        "APP_TABLE" = awscc_dynamodb_table.AppTable.table_name,
        "SMTP_HOST" = var.smtp_host,
        "SMTP_PORT" = var.smtp_port,
        "SMTP_CREDENTIALS_PARAMETER" = var.smtp_credentials_parameter,
        "MAIL_FROM" = var.mail_from,
        "OPS_EMAIL" = var.ops_email,
        "RESET_URL" = var.reset_url,
        "SMS_URL" = var.sms_url,
        "PUSH_URL" = var.push_url,
        "PAYMENT_URL" = var.payment_url,
        "GATEWAY_TOKEN_PARAMETER" = var.gateway_token_parameter,
        "SIGNIN_MAILS_PER_USER" = var.sign_in_mails_per_user,
        "SIGNIN_MAILS_MINUTES" = var.sign_in_mails_minutes,
        "POWERTOOLS_SERVICE_NAME" = var.stack,
        "POWERTOOLS_LOG_LEVEL" = var.log_level,
        "LANEWORK_LANE" = "critical",
      },
      local.HasAdot ? { "AWS_LAMBDA_EXEC_WRAPPER" = "/opt/otel-instrument" } : {},
    ),
  }
  tracing_config = { mode = var.tracing }
  layers = concat(
    local.HasAdot ? [var.adot_layer] : [],
    [awscc_lambda_layer_version.SharedLayer.layer_version_arn],
  )
  reserved_concurrent_executions = (local.ConcurrencyIsReserved ? var.critical_workers : null)
  architectures = [var.architecture]
  ephemeral_storage = { size = var.critical_storage }
  logging_config = {
    log_format = var.log_format,
    application_log_level = (local.LinesAreJson ? (local.LevelIsWarning ? "WARN" : var.log_level) : null),
    log_group = awscc_logs_log_group.CriticalWorkerLogs.log_group_name,
  }
  recursive_loop = "Allow"
}

resource "awscc_lambda_event_source_mapping" "CriticalWorkerLane" {
  batch_size = 1
  enabled = (local.CriticalIsOnLambda ? true : false)
  event_source_arn = awscc_sqs_queue.CriticalQueue.arn
  function_name = awscc_lambda_function.CriticalWorker.function_name
  maximum_batching_window_in_seconds = 0
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config = (local.CriticalHasPollers ? null : { maximum_concurrency = var.critical_workers })
  provisioned_poller_config = (local.CriticalHasPollers ? { minimum_pollers = var.critical_pollers, maximum_pollers = var.critical_pollers } : null)
}

resource "awscc_lambda_function" "HighWorker" {
  code = { s3_bucket = var.code_bucket, s3_key = aws_s3_object.functions.key }
  function_name = "${var.stack}-worker-high"
  handler = "handlers.worker.handler"
  memory_size = var.high_memory
  role = awscc_iam_role.HighWorkerRole.arn
  runtime = var.runtime
  timeout = 30
  vpc_config = (local.FunctionsAreInVpc ? { subnet_ids = var.vpc_subnets, security_group_ids = var.vpc_security_groups } : null)
  environment = {
    variables = merge(
      {
        "LANEWORK_STACK" = var.stack,
        "LANEWORK_ACCOUNT" = data.aws_caller_identity.current.account_id,
        "LANEWORK_LANES" = "critical,high,medium,low,batch",
        "LANEWORK_LOOK_AHEAD" = var.look_ahead_seconds,
        "LANEWORK_ARCHIVE_BUCKET" = var.archive_bucket,
        "LANEWORK_WEBHOOK_PARAMETER" = var.webhook_parameter,
        "LANEWORK_WEBHOOK_SECRET_PARAMETER" = var.webhook_secret_parameter,
        "LANEWORK_WEBHOOKS_TO_PRIVATE" = var.webhooks_to_private,
        "LANEWORK_EMF" = var.cloud_watch_metrics,
        "APP_TABLE" = awscc_dynamodb_table.AppTable.table_name,
        "SMTP_HOST" = var.smtp_host,
        "SMTP_PORT" = var.smtp_port,
        "SMTP_CREDENTIALS_PARAMETER" = var.smtp_credentials_parameter,
        "MAIL_FROM" = var.mail_from,
        "OPS_EMAIL" = var.ops_email,
        "RESET_URL" = var.reset_url,
        "SMS_URL" = var.sms_url,
        "PUSH_URL" = var.push_url,
        "PAYMENT_URL" = var.payment_url,
        "GATEWAY_TOKEN_PARAMETER" = var.gateway_token_parameter,
        "SIGNIN_MAILS_PER_USER" = var.sign_in_mails_per_user,
        "SIGNIN_MAILS_MINUTES" = var.sign_in_mails_minutes,
        "POWERTOOLS_SERVICE_NAME" = var.stack,
        "POWERTOOLS_LOG_LEVEL" = var.log_level,
        "LANEWORK_LANE" = "high",
      },
      local.HasAdot ? { "AWS_LAMBDA_EXEC_WRAPPER" = "/opt/otel-instrument" } : {},
    ),
  }
  tracing_config = { mode = var.tracing }
  layers = concat(
    local.HasAdot ? [var.adot_layer] : [],
    [awscc_lambda_layer_version.SharedLayer.layer_version_arn],
  )
  architectures = [var.architecture]
  ephemeral_storage = { size = var.high_storage }
  logging_config = {
    log_format = var.log_format,
    application_log_level = (local.LinesAreJson ? (local.LevelIsWarning ? "WARN" : var.log_level) : null),
    log_group = awscc_logs_log_group.HighWorkerLogs.log_group_name,
  }
  recursive_loop = "Allow"
}

resource "awscc_lambda_event_source_mapping" "HighWorkerLane" {
  batch_size = 1
  enabled = (local.HighIsOnLambda ? true : false)
  event_source_arn = awscc_sqs_queue.HighQueue.arn
  function_name = awscc_lambda_function.HighWorker.function_name
  maximum_batching_window_in_seconds = 0
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config = { maximum_concurrency = var.high_workers }
}

resource "awscc_lambda_function" "MediumWorker" {
  code = { s3_bucket = var.code_bucket, s3_key = aws_s3_object.functions.key }
  function_name = "${var.stack}-worker-medium"
  handler = "handlers.worker.handler"
  memory_size = var.medium_memory
  role = awscc_iam_role.MediumWorkerRole.arn
  runtime = var.runtime
  timeout = 60
  vpc_config = (local.FunctionsAreInVpc ? { subnet_ids = var.vpc_subnets, security_group_ids = var.vpc_security_groups } : null)
  environment = {
    variables = merge(
      {
        "LANEWORK_STACK" = var.stack,
        "LANEWORK_ACCOUNT" = data.aws_caller_identity.current.account_id,
        "LANEWORK_LANES" = "critical,high,medium,low,batch",
        "LANEWORK_LOOK_AHEAD" = var.look_ahead_seconds,
        "LANEWORK_ARCHIVE_BUCKET" = var.archive_bucket,
        "LANEWORK_WEBHOOK_PARAMETER" = var.webhook_parameter,
        "LANEWORK_WEBHOOK_SECRET_PARAMETER" = var.webhook_secret_parameter,
        "LANEWORK_WEBHOOKS_TO_PRIVATE" = var.webhooks_to_private,
        "LANEWORK_EMF" = var.cloud_watch_metrics,
        "APP_TABLE" = awscc_dynamodb_table.AppTable.table_name,
        "SMTP_HOST" = var.smtp_host,
        "SMTP_PORT" = var.smtp_port,
        "SMTP_CREDENTIALS_PARAMETER" = var.smtp_credentials_parameter,
        "MAIL_FROM" = var.mail_from,
        "OPS_EMAIL" = var.ops_email,
        "RESET_URL" = var.reset_url,
        "SMS_URL" = var.sms_url,
        "PUSH_URL" = var.push_url,
        "PAYMENT_URL" = var.payment_url,
        "GATEWAY_TOKEN_PARAMETER" = var.gateway_token_parameter,
        "SIGNIN_MAILS_PER_USER" = var.sign_in_mails_per_user,
        "SIGNIN_MAILS_MINUTES" = var.sign_in_mails_minutes,
        "POWERTOOLS_SERVICE_NAME" = var.stack,
        "POWERTOOLS_LOG_LEVEL" = var.log_level,
        "LANEWORK_LANE" = "medium",
      },
      local.HasAdot ? { "AWS_LAMBDA_EXEC_WRAPPER" = "/opt/otel-instrument" } : {},
    ),
  }
  tracing_config = { mode = var.tracing }
  layers = concat(
    local.HasAdot ? [var.adot_layer] : [],
    [awscc_lambda_layer_version.SharedLayer.layer_version_arn],
  )
  architectures = [var.architecture]
  ephemeral_storage = { size = var.medium_storage }
  logging_config = {
    log_format = var.log_format,
    application_log_level = (local.LinesAreJson ? (local.LevelIsWarning ? "WARN" : var.log_level) : null),
    log_group = awscc_logs_log_group.MediumWorkerLogs.log_group_name,
  }
  recursive_loop = "Allow"
}

resource "awscc_lambda_event_source_mapping" "MediumWorkerLane" {
  batch_size = 5
  enabled = (local.MediumIsOnLambda ? true : false)
  event_source_arn = awscc_sqs_queue.MediumQueue.arn
  function_name = awscc_lambda_function.MediumWorker.function_name
  maximum_batching_window_in_seconds = 0
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config = { maximum_concurrency = var.medium_workers }
}

resource "awscc_lambda_function" "LowWorker" {
  code = { s3_bucket = var.code_bucket, s3_key = aws_s3_object.functions.key }
  function_name = "${var.stack}-worker-low"
  handler = "handlers.worker.handler"
  memory_size = var.low_memory
  role = awscc_iam_role.LowWorkerRole.arn
  runtime = var.runtime
  timeout = 900
  vpc_config = (local.FunctionsAreInVpc ? { subnet_ids = var.vpc_subnets, security_group_ids = var.vpc_security_groups } : null)
  environment = {
    variables = merge(
      {
        "LANEWORK_STACK" = var.stack,
        "LANEWORK_ACCOUNT" = data.aws_caller_identity.current.account_id,
        "LANEWORK_LANES" = "critical,high,medium,low,batch",
        "LANEWORK_LOOK_AHEAD" = var.look_ahead_seconds,
        "LANEWORK_ARCHIVE_BUCKET" = var.archive_bucket,
        "LANEWORK_WEBHOOK_PARAMETER" = var.webhook_parameter,
        "LANEWORK_WEBHOOK_SECRET_PARAMETER" = var.webhook_secret_parameter,
        "LANEWORK_WEBHOOKS_TO_PRIVATE" = var.webhooks_to_private,
        "LANEWORK_EMF" = var.cloud_watch_metrics,
        "APP_TABLE" = awscc_dynamodb_table.AppTable.table_name,
        "SMTP_HOST" = var.smtp_host,
        "SMTP_PORT" = var.smtp_port,
        "SMTP_CREDENTIALS_PARAMETER" = var.smtp_credentials_parameter,
        "MAIL_FROM" = var.mail_from,
        "OPS_EMAIL" = var.ops_email,
        "RESET_URL" = var.reset_url,
        "SMS_URL" = var.sms_url,
        "PUSH_URL" = var.push_url,
        "PAYMENT_URL" = var.payment_url,
        "GATEWAY_TOKEN_PARAMETER" = var.gateway_token_parameter,
        "SIGNIN_MAILS_PER_USER" = var.sign_in_mails_per_user,
        "SIGNIN_MAILS_MINUTES" = var.sign_in_mails_minutes,
        "POWERTOOLS_SERVICE_NAME" = var.stack,
        "POWERTOOLS_LOG_LEVEL" = var.log_level,
        "LANEWORK_LANE" = "low",
      },
      local.HasAdot ? { "AWS_LAMBDA_EXEC_WRAPPER" = "/opt/otel-instrument" } : {},
    ),
  }
  tracing_config = { mode = var.tracing }
  layers = concat(
    local.HasAdot ? [var.adot_layer] : [],
    [awscc_lambda_layer_version.SharedLayer.layer_version_arn],
  )
  architectures = [var.architecture]
  ephemeral_storage = { size = var.low_storage }
  logging_config = {
    log_format = var.log_format,
    application_log_level = (local.LinesAreJson ? (local.LevelIsWarning ? "WARN" : var.log_level) : null),
    log_group = awscc_logs_log_group.LowWorkerLogs.log_group_name,
  }
  recursive_loop = "Allow"
}

resource "awscc_lambda_event_source_mapping" "LowWorkerLane" {
  batch_size = 1
  enabled = (local.LowIsOnLambda ? true : false)
  event_source_arn = awscc_sqs_queue.LowQueue.arn
  function_name = awscc_lambda_function.LowWorker.function_name
  maximum_batching_window_in_seconds = 0
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config = { maximum_concurrency = var.low_workers }
}

resource "awscc_lambda_function" "BatchWorker" {
  code = { s3_bucket = var.code_bucket, s3_key = aws_s3_object.functions.key }
  function_name = "${var.stack}-worker-batch"
  handler = "handlers.worker.handler"
  memory_size = var.batch_memory
  role = awscc_iam_role.BatchWorkerRole.arn
  runtime = var.runtime
  timeout = 900
  vpc_config = (local.FunctionsAreInVpc ? { subnet_ids = var.vpc_subnets, security_group_ids = var.vpc_security_groups } : null)
  environment = {
    variables = merge(
      {
        "LANEWORK_STACK" = var.stack,
        "LANEWORK_ACCOUNT" = data.aws_caller_identity.current.account_id,
        "LANEWORK_LANES" = "critical,high,medium,low,batch",
        "LANEWORK_LOOK_AHEAD" = var.look_ahead_seconds,
        "LANEWORK_ARCHIVE_BUCKET" = var.archive_bucket,
        "LANEWORK_WEBHOOK_PARAMETER" = var.webhook_parameter,
        "LANEWORK_WEBHOOK_SECRET_PARAMETER" = var.webhook_secret_parameter,
        "LANEWORK_WEBHOOKS_TO_PRIVATE" = var.webhooks_to_private,
        "LANEWORK_EMF" = var.cloud_watch_metrics,
        "APP_TABLE" = awscc_dynamodb_table.AppTable.table_name,
        "SMTP_HOST" = var.smtp_host,
        "SMTP_PORT" = var.smtp_port,
        "SMTP_CREDENTIALS_PARAMETER" = var.smtp_credentials_parameter,
        "MAIL_FROM" = var.mail_from,
        "OPS_EMAIL" = var.ops_email,
        "RESET_URL" = var.reset_url,
        "SMS_URL" = var.sms_url,
        "PUSH_URL" = var.push_url,
        "PAYMENT_URL" = var.payment_url,
        "GATEWAY_TOKEN_PARAMETER" = var.gateway_token_parameter,
        "SIGNIN_MAILS_PER_USER" = var.sign_in_mails_per_user,
        "SIGNIN_MAILS_MINUTES" = var.sign_in_mails_minutes,
        "POWERTOOLS_SERVICE_NAME" = var.stack,
        "POWERTOOLS_LOG_LEVEL" = var.log_level,
        "LANEWORK_LANE" = "batch",
      },
      local.HasAdot ? { "AWS_LAMBDA_EXEC_WRAPPER" = "/opt/otel-instrument" } : {},
    ),
  }
  tracing_config = { mode = var.tracing }
  layers = concat(
    local.HasAdot ? [var.adot_layer] : [],
    [awscc_lambda_layer_version.SharedLayer.layer_version_arn],
  )
  architectures = [var.architecture]
  ephemeral_storage = { size = var.batch_storage }
  logging_config = {
    log_format = var.log_format,
    application_log_level = (local.LinesAreJson ? (local.LevelIsWarning ? "WARN" : var.log_level) : null),
    log_group = awscc_logs_log_group.BatchWorkerLogs.log_group_name,
  }
  recursive_loop = "Allow"
}

resource "awscc_lambda_event_source_mapping" "BatchWorkerLane" {
  batch_size = 1
  enabled = (local.BatchIsOnLambda ? true : false)
  event_source_arn = awscc_sqs_queue.BatchQueue.arn
  function_name = awscc_lambda_function.BatchWorker.function_name
  maximum_batching_window_in_seconds = 0
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config = { maximum_concurrency = var.batch_workers }
}

resource "awscc_lambda_function" "Clock" {
  code = { s3_bucket = var.code_bucket, s3_key = aws_s3_object.functions.key }
  function_name = "${var.stack}-clock"
  handler = "handlers.clock.handler"
  memory_size = 256
  role = awscc_iam_role.ClockRole.arn
  runtime = var.runtime
  timeout = 60
  vpc_config = (local.FunctionsAreInVpc ? { subnet_ids = var.vpc_subnets, security_group_ids = var.vpc_security_groups } : null)
  environment = {
    variables = merge(
      {
        "LANEWORK_STACK" = var.stack,
        "LANEWORK_ACCOUNT" = data.aws_caller_identity.current.account_id,
        "LANEWORK_LANES" = "critical,high,medium,low,batch",
        "LANEWORK_LOOK_AHEAD" = var.look_ahead_seconds,
        "LANEWORK_ARCHIVE_BUCKET" = var.archive_bucket,
        "LANEWORK_WEBHOOK_PARAMETER" = var.webhook_parameter,
        "LANEWORK_WEBHOOK_SECRET_PARAMETER" = var.webhook_secret_parameter,
        "LANEWORK_WEBHOOKS_TO_PRIVATE" = var.webhooks_to_private,
        "LANEWORK_EMF" = var.cloud_watch_metrics,
        "APP_TABLE" = awscc_dynamodb_table.AppTable.table_name,
        "SMTP_HOST" = var.smtp_host,
        "SMTP_PORT" = var.smtp_port,
        "SMTP_CREDENTIALS_PARAMETER" = "",
        "MAIL_FROM" = var.mail_from,
        "OPS_EMAIL" = var.ops_email,
        "RESET_URL" = var.reset_url,
        "SMS_URL" = var.sms_url,
        "PUSH_URL" = var.push_url,
        "PAYMENT_URL" = var.payment_url,
        "GATEWAY_TOKEN_PARAMETER" = "",
        "SIGNIN_MAILS_PER_USER" = var.sign_in_mails_per_user,
        "SIGNIN_MAILS_MINUTES" = var.sign_in_mails_minutes,
        "POWERTOOLS_SERVICE_NAME" = var.stack,
        "POWERTOOLS_LOG_LEVEL" = var.log_level,
        "LANEWORK_ALERT_TOPIC" = awscc_sns_topic.AlarmTopic.topic_arn,
        "LANEWORK_ALERT_WEBHOOK_PARAMETER" = var.alert_webhook_parameter,
        "LANEWORK_ALERT_JOB" = var.alert_job,
      },
      local.HasAdot ? { "AWS_LAMBDA_EXEC_WRAPPER" = "/opt/otel-instrument" } : {},
    ),
  }
  tracing_config = { mode = var.tracing }
  layers = concat(
    local.HasAdot ? [var.adot_layer] : [],
    [awscc_lambda_layer_version.SharedLayer.layer_version_arn],
  )
  architectures = [var.architecture]
  logging_config = {
    log_format = var.log_format,
    application_log_level = (local.LinesAreJson ? (local.LevelIsWarning ? "WARN" : var.log_level) : null),
    log_group = awscc_logs_log_group.ClockLogs.log_group_name,
  }
  recursive_loop = "Allow"
}

resource "awscc_scheduler_schedule" "ClockCleanupExpiredTokens" {
  schedule_expression = "cron(0 2 * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "cleanup.expired-tokens"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"cleanup.expired-tokens\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockCleanupOldArchives" {
  schedule_expression = "cron(0 2 * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "cleanup.old-archives"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"cleanup.old-archives\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockCleanupOldArtifacts" {
  schedule_expression = "cron(0 4 ? * SUN *)"
  flexible_time_window = { mode = "OFF" }
  name = "cleanup.old-artifacts"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"cleanup.old-artifacts\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockCleanupOldLogs" {
  schedule_expression = "cron(0 3 * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "cleanup.old-logs"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"cleanup.old-logs\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockCleanupTempFiles" {
  schedule_expression = "cron(0 4 * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "cleanup.temp-files"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"cleanup.temp-files\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockDailyBackup" {
  schedule_expression = "cron(0 1 * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "daily-backup"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"daily-backup\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockDailyReport" {
  schedule_expression = "cron(0 0 * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "daily-report"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"daily-report\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockHealthCheck" {
  schedule_expression = "cron(* * * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "health-check"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"health-check\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockNewsletterWeekly" {
  schedule_expression = "cron(0 9 ? * MON *)"
  flexible_time_window = { mode = "OFF" }
  name = "newsletter.weekly"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"newsletter.weekly\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockSchedulerCleanupExpiredOtps" {
  schedule_expression = "cron(0 0/6 * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "scheduler.cleanup-expired-otps"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"scheduler.cleanup-expired-otps\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockSchedulerCleanupOldSessions" {
  schedule_expression = "cron(0 0 * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "scheduler.cleanup-old-sessions"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"scheduler.cleanup-old-sessions\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockSchedulerExpireSubscriptions" {
  schedule_expression = "cron(0 * * * ? *)"
  flexible_time_window = { mode = "OFF" }
  name = "scheduler.expire-subscriptions"
  schedule_expression_timezone = "UTC"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    input = "{\"schedule\": \"scheduler.expire-subscriptions\", \"at\": \"<aws.scheduler.scheduled-time>\"}",
    retry_policy = { maximum_retry_attempts = 3, maximum_event_age_in_seconds = 300 },
  }
}

resource "awscc_scheduler_schedule" "ClockTick" {
  schedule_expression = "rate(1 minute)"
  flexible_time_window = { mode = "OFF" }
  name = "${var.stack}-tick"
  group_name = awscc_scheduler_schedule_group.ScheduleGroup.name
  target = {
    arn = awscc_lambda_function.Clock.arn,
    role_arn = awscc_iam_role.SchedulerRole.arn,
    retry_policy = { maximum_retry_attempts = 0, maximum_event_age_in_seconds = 60 },
  }
}

resource "awscc_lambda_function" "ApiFunction" {
  count = local.HasApi ? 1 : 0
  code = { s3_bucket = var.code_bucket, s3_key = aws_s3_object.functions.key }
  function_name = "${var.stack}-api"
  handler = "handlers.api.handler"
  memory_size = 512
  role = awscc_iam_role.ApiRole[0].arn
  runtime = var.runtime
  timeout = 29
  vpc_config = (local.FunctionsAreInVpc ? { subnet_ids = var.vpc_subnets, security_group_ids = var.vpc_security_groups } : null)
  environment = {
    variables = merge(
      {
        "LANEWORK_STACK" = var.stack,
        "LANEWORK_ACCOUNT" = data.aws_caller_identity.current.account_id,
        "LANEWORK_LANES" = "critical,high,medium,low,batch",
        "LANEWORK_LOOK_AHEAD" = var.look_ahead_seconds,
        "LANEWORK_ARCHIVE_BUCKET" = var.archive_bucket,
        "LANEWORK_WEBHOOK_PARAMETER" = var.webhook_parameter,
        "LANEWORK_WEBHOOK_SECRET_PARAMETER" = var.webhook_secret_parameter,
        "LANEWORK_WEBHOOKS_TO_PRIVATE" = var.webhooks_to_private,
        "LANEWORK_EMF" = var.cloud_watch_metrics,
        "APP_TABLE" = awscc_dynamodb_table.AppTable.table_name,
        "SMTP_HOST" = var.smtp_host,
        "SMTP_PORT" = var.smtp_port,
        "SMTP_CREDENTIALS_PARAMETER" = "",
        "MAIL_FROM" = var.mail_from,
        "OPS_EMAIL" = var.ops_email,
        "RESET_URL" = var.reset_url,
        "SMS_URL" = var.sms_url,
        "PUSH_URL" = var.push_url,
        "PAYMENT_URL" = var.payment_url,
        "GATEWAY_TOKEN_PARAMETER" = "",
        "SIGNIN_MAILS_PER_USER" = var.sign_in_mails_per_user,
        "SIGNIN_MAILS_MINUTES" = var.sign_in_mails_minutes,
        "POWERTOOLS_SERVICE_NAME" = var.stack,
        "POWERTOOLS_LOG_LEVEL" = var.log_level,
        "LANEWORK_API_TOKENS" = var.api_tokens,
        "LANEWORK_API_TOKENS_PARAMETER" = var.api_tokens_parameter,
        "LANEWORK_DEVELOPMENT" = var.development,
      },
      local.HasAdot ? { "AWS_LAMBDA_EXEC_WRAPPER" = "/opt/otel-instrument" } : {},
      local.ApiHasAuthorizer ? { "LANEWORK_API_AUTHORIZED_ROLE" = var.api_authorized_role } : {},
    ),
  }
  tracing_config = { mode = var.tracing }
  layers = concat(
    local.HasAdot ? [var.adot_layer] : [],
    [awscc_lambda_layer_version.SharedLayer.layer_version_arn],
  )
  reserved_concurrent_executions = (local.ApiIsCapped ? var.api_concurrency : null)
  architectures = [var.architecture]
  logging_config = {
    log_format = var.log_format,
    application_log_level = (local.LinesAreJson ? (local.LevelIsWarning ? "WARN" : var.log_level) : null),
    log_group = awscc_logs_log_group.ApiLogs[0].log_group_name,
  }
  recursive_loop = "Allow"
}

resource "awscc_lambda_function" "EventsFunction" {
  count = local.EventsAreTold ? 1 : 0
  code = { s3_bucket = var.code_bucket, s3_key = aws_s3_object.functions.key }
  function_name = "${var.stack}-events"
  handler = "handlers.stream.handler"
  memory_size = 256
  role = awscc_iam_role.EventsRole[0].arn
  runtime = var.runtime
  timeout = 60
  vpc_config = (local.FunctionsAreInVpc ? { subnet_ids = var.vpc_subnets, security_group_ids = var.vpc_security_groups } : null)
  environment = {
    variables = merge(
      {
        "LANEWORK_STACK" = var.stack,
        "LANEWORK_ACCOUNT" = data.aws_caller_identity.current.account_id,
        "LANEWORK_LANES" = "critical,high,medium,low,batch",
        "LANEWORK_LOOK_AHEAD" = var.look_ahead_seconds,
        "LANEWORK_ARCHIVE_BUCKET" = var.archive_bucket,
        "LANEWORK_WEBHOOK_PARAMETER" = var.webhook_parameter,
        "LANEWORK_WEBHOOK_SECRET_PARAMETER" = var.webhook_secret_parameter,
        "LANEWORK_WEBHOOKS_TO_PRIVATE" = var.webhooks_to_private,
        "LANEWORK_EMF" = var.cloud_watch_metrics,
        "APP_TABLE" = awscc_dynamodb_table.AppTable.table_name,
        "SMTP_HOST" = var.smtp_host,
        "SMTP_PORT" = var.smtp_port,
        "SMTP_CREDENTIALS_PARAMETER" = "",
        "MAIL_FROM" = var.mail_from,
        "OPS_EMAIL" = var.ops_email,
        "RESET_URL" = var.reset_url,
        "SMS_URL" = var.sms_url,
        "PUSH_URL" = var.push_url,
        "PAYMENT_URL" = var.payment_url,
        "GATEWAY_TOKEN_PARAMETER" = "",
        "SIGNIN_MAILS_PER_USER" = var.sign_in_mails_per_user,
        "SIGNIN_MAILS_MINUTES" = var.sign_in_mails_minutes,
        "POWERTOOLS_SERVICE_NAME" = var.stack,
        "POWERTOOLS_LOG_LEVEL" = var.log_level,
        "LANEWORK_EVENTS" = var.events_to_bus,
        "LANEWORK_EVENT_BUS" = var.event_bus,
      },
      local.HasAdot ? { "AWS_LAMBDA_EXEC_WRAPPER" = "/opt/otel-instrument" } : {},
    ),
  }
  tracing_config = { mode = var.tracing }
  layers = concat(
    local.HasAdot ? [var.adot_layer] : [],
    [awscc_lambda_layer_version.SharedLayer.layer_version_arn],
  )
  architectures = [var.architecture]
  logging_config = {
    log_format = var.log_format,
    application_log_level = (local.LinesAreJson ? (local.LevelIsWarning ? "WARN" : var.log_level) : null),
    log_group = awscc_logs_log_group.EventsLogs[0].log_group_name,
  }
  recursive_loop = "Allow"
}

resource "awscc_lambda_event_source_mapping" "EventsFunctionWrites" {
  count = local.EventsAreTold ? 1 : 0
  batch_size = 100
  event_source_arn = awscc_dynamodb_table.JobsTable.stream_arn
  function_name = awscc_lambda_function.EventsFunction[0].function_name
  maximum_retry_attempts = -1
  starting_position = "TRIM_HORIZON"
  filter_criteria = {
    filters = [
      {
        pattern = (local.EndsOnly ? "{\"dynamodb\": {\"NewImage\": {\"sk\": {\"S\": [\"job\"]}, \"state\": {\"S\": [\"completed\", \"dead\", \"cancelled\"]}}}}" : "{\"dynamodb\": {\"NewImage\": {\"sk\": {\"S\": [\"job\"]}}}}"),
      },
    ],
  }
}

resource "awscc_lambda_layer_version" "SharedLayer" {
  content = { s3_bucket = var.code_bucket, s3_key = aws_s3_object.layer.key }
  description = "The engine and the application's jobs, at python/"
  layer_name = "${var.stack}-shared"
  compatible_architectures = [var.architecture]
  compatible_runtimes = [var.runtime]
}
