# Made by `lanework terraform` from template.yaml: change that, and make this anew.

variable "stack" {
  type = string
  description = "Name of the stack, such as shop-prod: what LANEWORK_STACK of a producer is."
}

variable "code_bucket" {
  type = string
  description = "Name of a bucket in this region that the code is put into."
}

variable "build" {
  type = string
  description = "What `make build` made for runtime and architecture: the folder .aws-sam/build."
}

variable "runtime" {
  type = string
  default = "python3.13"
  validation {
    condition     = can(regex("^python3\\.[0-9]+$", var.runtime))
    error_message = "runtime must be a Python runtime of Lambda, such as python3.13."
  }
}

variable "architecture" {
  type = string
  default = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], tostring(var.architecture))
    error_message = "architecture must be one of arm64, x86_64."
  }
}

variable "look_ahead_seconds" {
  type = number
  default = 900
  description = "What is due within this time is held by SQS and starts to the second; the rest waits for the minute's tick. Under 60 a start may be late by a minute: for tests."
  validation {
    condition     = var.look_ahead_seconds >= 1
    error_message = "look_ahead_seconds must be at least 1."
  }
  validation {
    condition     = var.look_ahead_seconds <= 900
    error_message = "look_ahead_seconds must be at most 900."
  }
}

variable "critical_workers" {
  type = number
  default = 20
  description = "Most executions of the lane's function at once, 2 to 1,000 (AWS's least and most)."
  validation {
    condition     = var.critical_workers >= 2
    error_message = "critical_workers must be at least 2."
  }
  validation {
    condition     = var.critical_workers <= 1000
    error_message = "critical_workers must be at most 1000."
  }
}

variable "critical_pollers" {
  type = number
  default = 0
  description = "Pollers that are kept ready for bursts, 2 to 100, of 10 executions each; 0 keeps none, and a burst begins with 5 executions. They take the place of CriticalWorkers as the lane's bound: set that to 10 times as many, which is what is reserved."
  validation {
    condition     = var.critical_pollers >= 0
    error_message = "critical_pollers must be at least 0."
  }
  validation {
    condition     = var.critical_pollers <= 100
    error_message = "critical_pollers must be at most 100."
  }
}

variable "critical_runs_on" {
  type = string
  default = "lambda"
  description = "Who empties the lane. With worker its function is handed nothing; run `lanework worker --lane critical`."
  validation {
    condition     = contains(["lambda", "worker"], tostring(var.critical_runs_on))
    error_message = "critical_runs_on must be one of lambda, worker."
  }
}

variable "critical_memory" {
  type = number
  default = 256
  description = "Memory of the lane's function in MB, 128 to 10,240 (AWS's least and most); its CPU and its price grow with it."
  validation {
    condition     = var.critical_memory >= 128
    error_message = "critical_memory must be at least 128."
  }
  validation {
    condition     = var.critical_memory <= 10240
    error_message = "critical_memory must be at most 10240."
  }
}

variable "critical_storage" {
  type = number
  default = 512
  description = "Size of /tmp of the lane's function in MB, 512 to 10,240; what is above 512 costs."
  validation {
    condition     = var.critical_storage >= 512
    error_message = "critical_storage must be at least 512."
  }
  validation {
    condition     = var.critical_storage <= 10240
    error_message = "critical_storage must be at most 10240."
  }
}

variable "high_workers" {
  type = number
  default = 10
  validation {
    condition     = var.high_workers >= 2
    error_message = "high_workers must be at least 2."
  }
  validation {
    condition     = var.high_workers <= 1000
    error_message = "high_workers must be at most 1000."
  }
}

variable "high_runs_on" {
  type = string
  default = "lambda"
  validation {
    condition     = contains(["lambda", "worker"], tostring(var.high_runs_on))
    error_message = "high_runs_on must be one of lambda, worker."
  }
}

variable "high_memory" {
  type = number
  default = 256
  validation {
    condition     = var.high_memory >= 128
    error_message = "high_memory must be at least 128."
  }
  validation {
    condition     = var.high_memory <= 10240
    error_message = "high_memory must be at most 10240."
  }
}

variable "high_storage" {
  type = number
  default = 512
  validation {
    condition     = var.high_storage >= 512
    error_message = "high_storage must be at least 512."
  }
  validation {
    condition     = var.high_storage <= 10240
    error_message = "high_storage must be at most 10240."
  }
}

variable "medium_workers" {
  type = number
  default = 5
  validation {
    condition     = var.medium_workers >= 2
    error_message = "medium_workers must be at least 2."
  }
  validation {
    condition     = var.medium_workers <= 1000
    error_message = "medium_workers must be at most 1000."
  }
}

variable "medium_runs_on" {
  type = string
  default = "lambda"
  validation {
    condition     = contains(["lambda", "worker"], tostring(var.medium_runs_on))
    error_message = "medium_runs_on must be one of lambda, worker."
  }
}

variable "medium_memory" {
  type = number
  default = 256
  validation {
    condition     = var.medium_memory >= 128
    error_message = "medium_memory must be at least 128."
  }
  validation {
    condition     = var.medium_memory <= 10240
    error_message = "medium_memory must be at most 10240."
  }
}

variable "medium_storage" {
  type = number
  default = 512
  validation {
    condition     = var.medium_storage >= 512
    error_message = "medium_storage must be at least 512."
  }
  validation {
    condition     = var.medium_storage <= 10240
    error_message = "medium_storage must be at most 10240."
  }
}

variable "low_workers" {
  type = number
  default = 2
  validation {
    condition     = var.low_workers >= 2
    error_message = "low_workers must be at least 2."
  }
  validation {
    condition     = var.low_workers <= 1000
    error_message = "low_workers must be at most 1000."
  }
}

variable "low_runs_on" {
  type = string
  default = "lambda"
  validation {
    condition     = contains(["lambda", "worker"], tostring(var.low_runs_on))
    error_message = "low_runs_on must be one of lambda, worker."
  }
}

variable "low_memory" {
  type = number
  default = 256
  validation {
    condition     = var.low_memory >= 128
    error_message = "low_memory must be at least 128."
  }
  validation {
    condition     = var.low_memory <= 10240
    error_message = "low_memory must be at most 10240."
  }
}

variable "low_storage" {
  type = number
  default = 512
  validation {
    condition     = var.low_storage >= 512
    error_message = "low_storage must be at least 512."
  }
  validation {
    condition     = var.low_storage <= 10240
    error_message = "low_storage must be at most 10240."
  }
}

variable "batch_workers" {
  type = number
  default = 2
  validation {
    condition     = var.batch_workers >= 2
    error_message = "batch_workers must be at least 2."
  }
  validation {
    condition     = var.batch_workers <= 1000
    error_message = "batch_workers must be at most 1000."
  }
}

variable "batch_runs_on" {
  type = string
  default = "lambda"
  validation {
    condition     = contains(["lambda", "worker"], tostring(var.batch_runs_on))
    error_message = "batch_runs_on must be one of lambda, worker."
  }
}

variable "batch_memory" {
  type = number
  default = 256
  validation {
    condition     = var.batch_memory >= 128
    error_message = "batch_memory must be at least 128."
  }
  validation {
    condition     = var.batch_memory <= 10240
    error_message = "batch_memory must be at most 10240."
  }
}

variable "batch_storage" {
  type = number
  default = 512
  validation {
    condition     = var.batch_storage >= 512
    error_message = "batch_storage must be at least 512."
  }
  validation {
    condition     = var.batch_storage <= 10240
    error_message = "batch_storage must be at most 10240."
  }
}

variable "archive_bucket" {
  type = string
  default = ""
  description = "Bucket that jobs go to before their records expire, payloads included. Empty keeps none."
  validation {
    condition     = can(regex("^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$", var.archive_bucket))
    error_message = "archive_bucket must be the name of an S3 bucket."
  }
}

variable "events_to_bus" {
  type = string
  default = "off"
  description = "What is put on EventBridge's bus - nothing, how jobs end, or every transition (docs/events.md)."
  validation {
    condition     = contains(["off", "ends", "all"], tostring(var.events_to_bus))
    error_message = "events_to_bus must be one of off, ends, all."
  }
}

variable "event_bus" {
  type = string
  default = "default"
  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,256}$", var.event_bus))
    error_message = "event_bus must be the name of a bus of this account and region."
  }
}

variable "webhook_parameter" {
  type = string
  default = ""
  description = "SSM SecureString that holds the https:// address where completions and deaths are told of jobs that name none themselves; an address may hold a token. Empty tells nobody."
  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)*$", var.webhook_parameter))
    error_message = "webhook_parameter must be the full name of an SSM parameter, such as /shop/webhook."
  }
}

variable "webhook_secret_parameter" {
  type = string
  default = ""
  description = "SSM SecureString (under the account's own aws/ssm key) that webhooks are signed with, as `lanework webhooks secret` makes it; two, separated by a space, while it is changed."
  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)*$", var.webhook_secret_parameter))
    error_message = "webhook_secret_parameter must be the full name of an SSM parameter, such as /shop/webhook-secret."
  }
}

variable "webhooks_to_private" {
  type = string
  default = "false"
  description = "Let webhooks go to private addresses and to the machine itself. For development."
  validation {
    condition     = contains(["true", "false"], tostring(var.webhooks_to_private))
    error_message = "webhooks_to_private must be one of true, false."
  }
}

variable "log_level" {
  type = string
  default = "INFO"
  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], tostring(var.log_level))
    error_message = "log_level must be one of DEBUG, INFO, WARNING, ERROR."
  }
}

variable "log_format" {
  type = string
  default = "Text"
  description = "Form of the lines that Lambda itself writes (START, REPORT, what isn't logged by Lanework). Lanework's own are JSON in any case."
  validation {
    condition     = contains(["Text", "JSON"], tostring(var.log_format))
    error_message = "log_format must be one of Text, JSON."
  }
}

variable "log_retention_days" {
  type = number
  default = 30
  validation {
    condition     = contains(["1", "3", "5", "7", "14", "30", "60", "90", "180", "365"], tostring(var.log_retention_days))
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 180, 365."
  }
}

variable "reserve_critical_concurrency" {
  type = string
  default = "true"
  description = "Keep CriticalWorkers executions free for the critical lane, and ApiConcurrency for the API. An account whose limit is still 10 can't; set false there."
  validation {
    condition     = contains(["true", "false"], tostring(var.reserve_critical_concurrency))
    error_message = "reserve_critical_concurrency must be one of true, false."
  }
}

variable "alarm_email" {
  type = string
  default = ""
  description = "Who is mailed when an alarm goes off, and when it is over. AWS asks for a confirmation first. Empty mails nobody."
  validation {
    condition     = can(regex("^([^@ ]+@[^@ ]+)?$", var.alarm_email))
    error_message = "alarm_email must be an e-mail address."
  }
}

variable "cloud_watch_metrics" {
  type = string
  default = "false"
  description = "Let workers write metrics for CloudWatch, by lane and job type, beside the numbers that the table holds in any case. CloudWatch charges for each metric of each type."
  validation {
    condition     = contains(["true", "false"], tostring(var.cloud_watch_metrics))
    error_message = "cloud_watch_metrics must be one of true, false."
  }
}

variable "alert_webhook_parameter" {
  type = string
  default = ""
  description = "SSM parameter that holds the address of a webhook, such as a chat's, that Lanework's alerts are posted to. They go to the alarms' topic in any case."
  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)*$", var.alert_webhook_parameter))
    error_message = "alert_webhook_parameter must be the full name of an SSM parameter, such as /shop/alert-webhook."
  }
}

variable "alert_job" {
  type = string
  default = ""
  description = "Type of a job that Lanework's alerts are enqueued as, too. Empty enqueues none."
  validation {
    condition     = can(regex("^([a-z][a-z0-9_.-]*)?$", var.alert_job))
    error_message = "alert_job must be the name of a job type, such as ops.alert."
  }
}

variable "deletion_protection" {
  type = string
  default = "false"
  description = "Refuse to delete the tables, also with the stack."
  validation {
    condition     = contains(["true", "false"], tostring(var.deletion_protection))
    error_message = "deletion_protection must be one of true, false."
  }
}

variable "smtp_host" {
  type = string
  default = ""
  description = "Server that sends mail. Empty writes mails to the log instead."
}

variable "smtp_port" {
  type = number
  default = 587
  validation {
    condition     = var.smtp_port >= 1
    error_message = "smtp_port must be at least 1."
  }
  validation {
    condition     = var.smtp_port <= 65535
    error_message = "smtp_port must be at most 65535."
  }
}

variable "smtp_credentials_parameter" {
  type = string
  default = ""
  description = "Name of an SSM SecureString (under the account's own aws/ssm key) that holds user:password. Empty logs in to nothing. The value itself never passes through this template."
  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)*$", var.smtp_credentials_parameter))
    error_message = "smtp_credentials_parameter must be the full name of an SSM parameter, such as /shop/smtp."
  }
}

variable "mail_from" {
  type = string
  default = "Lanework <no-reply@example.com>"
}

variable "ops_email" {
  type = string
  default = ""
  description = "Who gets alerts by mail, with AlertJob set to ops.alert."
}

variable "reset_url" {
  type = string
  default = "https://example.com/reset"
  description = "The page that the link in a password reset opens."
  validation {
    condition     = can(regex("^https?://.+$", var.reset_url))
    error_message = "reset_url must be like ^https?://.+$."
  }
}

variable "sms_url" {
  type = string
  default = ""
  description = "Where text messages are posted to. Empty writes them to the log instead."
  validation {
    condition     = can(regex("^(https?://.+)?$", var.sms_url))
    error_message = "sms_url must be like ^(https?://.+)?$."
  }
}

variable "push_url" {
  type = string
  default = ""
  description = "Where push notifications are posted to. Empty writes them to the log instead."
  validation {
    condition     = can(regex("^(https?://.+)?$", var.push_url))
    error_message = "push_url must be like ^(https?://.+)?$."
  }
}

variable "payment_url" {
  type = string
  default = ""
  description = "Where charges are posted to. Empty writes them to the log, and takes each as paid."
  validation {
    condition     = can(regex("^(https?://.+)?$", var.payment_url))
    error_message = "payment_url must be like ^(https?://.+)?$."
  }
}

variable "gateway_token_parameter" {
  type = string
  default = ""
  description = "Name of an SSM SecureString that holds the bearer token for the three above. Empty sends none."
  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)*$", var.gateway_token_parameter))
    error_message = "gateway_token_parameter must be the full name of an SSM parameter, such as /shop/gateway."
  }
}

variable "sign_in_mails_per_user" {
  type = number
  default = 10
  description = "How many sign-in mails a user gets within the minutes below; further ones are refused when enqueued."
  validation {
    condition     = var.sign_in_mails_per_user >= 1
    error_message = "sign_in_mails_per_user must be at least 1."
  }
}

variable "sign_in_mails_minutes" {
  type = number
  default = 60
  validation {
    condition     = var.sign_in_mails_minutes >= 1
    error_message = "sign_in_mails_minutes must be at least 1."
  }
  validation {
    condition     = var.sign_in_mails_minutes <= 1440
    error_message = "sign_in_mails_minutes must be at most 1440."
  }
}

variable "api_access" {
  type = string
  default = "public"
  description = "How the API is reached (docs/api.md) - from anywhere, with a token of Lanework's; from anywhere, with a JWT of an issuer of yours, or signed by a role that IAM lets call it; from VPC endpoints only, with a token; or there is no API."
  validation {
    condition     = contains(["public", "jwt", "iam", "private", "none"], tostring(var.api_access))
    error_message = "api_access must be one of public, jwt, iam, private, none."
  }
}

variable "api_jwt_issuer" {
  type = string
  default = ""
  description = "With ApiAccess=jwt, who issues the JWTs that are let in."
  validation {
    condition     = can(regex("^(https://.+)?$", var.api_jwt_issuer))
    error_message = "api_jwt_issuer must be the issuer's https address, as the claim iss has it."
  }
}

variable "api_jwt_audience" {
  type = list(string)
  default = []
  description = "With ApiAccess=jwt, for whom they must be issued (the claim aud, or client_id), separated by commas."
}

variable "api_authorized_role" {
  type = string
  default = "viewer"
  description = "With ApiAccess=jwt or iam, what everybody may who is let in."
  validation {
    condition     = contains(["viewer", "producer", "admin"], tostring(var.api_authorized_role))
    error_message = "api_authorized_role must be one of viewer, producer, admin."
  }
}

variable "api_vpc_endpoints" {
  type = list(string)
  default = []
  description = "With ApiAccess=private, the endpoints from which the API is reached. After a change, deploy the API's stage again."
  validation {
    condition     = can(regex("^(vpce-[0-9a-z]+(,vpce-[0-9a-z]+)*)?$", join(",", var.api_vpc_endpoints)))
    error_message = "api_vpc_endpoints must be ids of VPC endpoints of execute-api, separated by commas, such as vpce-0a1b."
  }
}

variable "api_tokens" {
  type = string
  default = ""
  description = "Hashes of the tokens that the API accepts, separated by commas. Without any it answers nobody."
  validation {
    condition     = can(regex("^((viewer|producer|admin):[0-9a-f]{64}[, ]*)*$", var.api_tokens))
    error_message = "api_tokens must be entries role:hash, as `lanework token new` prints them."
  }
}

variable "api_tokens_parameter" {
  type = string
  default = ""
  description = "SSM parameter that holds those hashes instead; a change counts within a minute, without a deployment."
  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)*$", var.api_tokens_parameter))
    error_message = "api_tokens_parameter must be the full name of an SSM parameter, such as /shop/api-tokens."
  }
}

variable "api_concurrency" {
  type = number
  default = 20
  description = "Most requests to the API at once; they are kept free for it, and it takes no more from the lanes. 0, or ReserveCriticalConcurrency=false, sets no cap."
  validation {
    condition     = var.api_concurrency >= 0
    error_message = "api_concurrency must be at least 0."
  }
  validation {
    condition     = var.api_concurrency <= 1000
    error_message = "api_concurrency must be at most 1000."
  }
}

variable "development" {
  type = string
  default = "false"
  description = "Let the API have endpoints to try job types with."
  validation {
    condition     = contains(["true", "false"], tostring(var.development))
    error_message = "development must be one of true, false."
  }
}

variable "vpc_subnets" {
  type = list(string)
  default = []
  description = "Subnets that all functions are put in, in two availability zones at least; they need a NAT gateway or VPC endpoints (docs/deploy.md). Empty leaves the functions outside any VPC of yours."
  validation {
    condition     = can(regex("^(subnet-[0-9a-z]+(,subnet-[0-9a-z]+)*)?$", join(",", var.vpc_subnets)))
    error_message = "vpc_subnets must be ids of subnets, separated by commas, such as subnet-0a1b,subnet-2c3d."
  }
}

variable "vpc_security_groups" {
  type = list(string)
  default = []
  description = "Security groups of the functions in those subnets; they must let out HTTPS."
  validation {
    condition     = can(regex("^(sg-[0-9a-z]+(,sg-[0-9a-z]+)*)?$", join(",", var.vpc_security_groups)))
    error_message = "vpc_security_groups must be ids of security groups, separated by commas, such as sg-0a1b."
  }
}

variable "tracing" {
  type = string
  default = "PassThrough"
  description = "With Active, X-Ray samples invocations of all functions, at a price."
  validation {
    condition     = contains(["PassThrough", "Active"], tostring(var.tracing))
    error_message = "tracing must be one of PassThrough, Active."
  }
}

variable "adot_layer" {
  type = string
  default = ""
  description = "Layer of the AWS Distro for OpenTelemetry, for Python and the functions' architecture, that instruments all functions. Empty adds none."
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+)?$", var.adot_layer))
    error_message = "adot_layer must be the ARN of a version of a layer, arn:aws:lambda:…:layer:…:1."
  }
}

variable "kms_key" {
  type = string
  default = ""
  description = "Key of yours that tables, queues, the alarms' topic and log groups are encrypted with; its policy must let in CloudWatch (docs/deploy.md). Empty leaves that to AWS's own keys, which cost nothing."
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$", var.kms_key))
    error_message = "kms_key must be the ARN of a KMS key of this region, arn:aws:kms:…:key/…, no alias's."
  }
}

variable "permissions_boundary" {
  type = string
  default = ""
  description = "Policy that bounds what each role may do, where the account demands one. Empty sets none."
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+)?$", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of an IAM policy."
  }
}

variable "role_path" {
  type = string
  default = "/"
  description = "Path of each role's name, where the account demands one."
  validation {
    condition     = can(regex("^/([A-Za-z0-9_+=,.@-]+/)*$", var.role_path))
    error_message = "role_path must begin and end with a slash, such as /jobs/."
  }
}
