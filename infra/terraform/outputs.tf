# Made by `lanework terraform` from template.yaml: change that, and make this anew.

output "api_id" {
  description = "The API's id, which is in the path that an emulator serves it under"
  value = local.HasApi ? (local.ApiIsPrivate ? awscc_apigateway_rest_api.PrivateApi[0].rest_api_id : awscc_apigatewayv2_api.Api[0].api_id) : null
}

output "api_address" {
  description = "Where the API is"
  value = local.HasApi ? (local.ApiIsPrivate ? "https://${awscc_apigateway_rest_api.PrivateApi[0].rest_api_id}.execute-api.${data.aws_region.current.id}.${data.aws_partition.current.dns_suffix}/${awscc_apigateway_stage.PrivateApiStage[0].stage_name}" : awscc_apigatewayv2_api.Api[0].api_endpoint) : null
}

output "jobs_table_name" {
  value = awscc_dynamodb_table.JobsTable.table_name
}

output "app_table_name" {
  value = awscc_dynamodb_table.AppTable.table_name
}

output "producer_policy_arn" {
  description = "The policy that a producer outside this stack attaches which looks at jobs and steers them, too"
  value = awscc_iam_managed_policy.ProducerPolicy.policy_arn
}

output "enqueue_policy_arn" {
  description = "The policy that a producer outside this stack attaches which enqueues and does nothing else"
  value = awscc_iam_managed_policy.EnqueuePolicy.policy_arn
}

output "critical_queue_url" {
  value = awscc_sqs_queue.CriticalQueue.queue_url
}

output "high_queue_url" {
  value = awscc_sqs_queue.HighQueue.queue_url
}

output "medium_queue_url" {
  value = awscc_sqs_queue.MediumQueue.queue_url
}

output "low_queue_url" {
  value = awscc_sqs_queue.LowQueue.queue_url
}

output "batch_queue_url" {
  value = awscc_sqs_queue.BatchQueue.queue_url
}

output "alarm_topic_arn" {
  description = "Where the alarms go; subscribe a pager or a chat to it"
  value = awscc_sns_topic.AlarmTopic.topic_arn
}
