"""The family `email`: a module for the types that belong together, templates beside them."""

from jobs.email.account import (
    ForgotPassword,
    PasswordReset,
    Welcome,
    forgot_password,
    reset_password,
    reset_url,
    welcome,
)
from jobs.email.engineering import (
    Alert,
    DeploymentNotification,
    PipelineComplete,
    SuiteResults,
    alert,
    deployment_notification,
    pipeline_complete,
    suite_results,
)
from jobs.email.family import email, urgent
from jobs.email.generic import NAMED, File, SendEmail, send_email
from jobs.email.notice import Mail
from jobs.email.operations import StackAlert, tell_operations
from jobs.email.otp import Otp, send_otp
from jobs.email.payment import PaymentReceived, notify_payment
from jobs.email.signin import SignIn, notify_sign_in

__all__ = [
    "NAMED",
    "Alert",
    "DeploymentNotification",
    "File",
    "ForgotPassword",
    "Mail",
    "Otp",
    "PasswordReset",
    "PaymentReceived",
    "PipelineComplete",
    "SendEmail",
    "SignIn",
    "StackAlert",
    "SuiteResults",
    "Welcome",
    "alert",
    "deployment_notification",
    "email",
    "forgot_password",
    "notify_payment",
    "notify_sign_in",
    "pipeline_complete",
    "reset_password",
    "reset_url",
    "send_email",
    "send_otp",
    "suite_results",
    "tell_operations",
    "urgent",
    "welcome",
]
