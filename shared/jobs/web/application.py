"""The example's endpoints, and which function answers to each."""

from __future__ import annotations

import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic import ValidationError

from jobs import producing
from jobs.clock import utc_now
from jobs.exports import ExportTransactions
from jobs.payments import PaymentOrder
from jobs.settings import WebSettings, web_settings
from jobs.signatures import SignatureError, check_cryptomus, check_nowpayments
from jobs.store import Token, Tokens, User, Users, app_store
from jobs.web.bodies import Contact, ExportFilters, ForgotPassword, Pay, ReportRange, SendOtp
from jobs.web.requests import HttpError, Request, answer, headers_of, request_of
from jobs.webhooks import Cryptomus, NowPayments
from lanework import EnqueueError, InvalidPayloadError, QuotaExceededError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

Said = dict[str, Any]

CODE_LASTS: Final = timedelta(minutes=10)


class Store(Users, Tokens, Protocol):
    """What the web application needs of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """
    The web application.

    Attributes:
        store: Gives the application's table.
        settings: Gives its secrets and addresses.
        signed_in: Who sends a request, by its headers: the host application's business. By default a bearer token that
            is the address of an account, which only a laptop may take for an identity.
        now: The clock.
    """

    store: Callable[[], Store] = app_store
    settings: Callable[[], WebSettings] = web_settings
    signed_in: Callable[[Store, Mapping[str, str]], User | None]
    now: Callable[[], datetime] = utc_now

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a request, as WSGI has it."""
        try:
            user = self.signed_in(self.store(), headers_of(environ))
            status, said = self.answered(request_of(environ, user))
        except HttpError as error:
            status, said = error.status, {"success": False, "error": error.error}
        except Exception:
            logging.getLogger("jobs.web").exception("a request failed")
            status, said = HTTPStatus.INTERNAL_SERVER_ERROR, {"success": False, "error": "something went wrong"}
        return answer(status, said, start)

    def answered(self, request: Request) -> tuple[HTTPStatus, Said]:
        """
        Answer a request.

        Raises:
            HttpError: It can't be done.
        """
        endpoint = self._endpoints().get(request.path)
        if endpoint is None:
            raise HttpError(HTTPStatus.NOT_FOUND, f"nothing is at {request.path}")
        if request.method != "POST":
            raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, "only POST is for this path")
        try:
            return HTTPStatus.ACCEPTED, {"success": True, **endpoint(request)}
        except InvalidPayloadError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from None
        except QuotaExceededError as error:
            raise HttpError(HTTPStatus.TOO_MANY_REQUESTS, f"try again after {error.retry_at:%H:%M:%S} UTC") from None
        except EnqueueError:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, "not now; try again") from None

    def _endpoints(self) -> dict[str, Callable[[Request], Said]]:
        return {
            "/api/auth/forgot-password": self._forgot_password,
            "/api/auth/send-otp": self._send_otp,
            "/api/payments/process": self._process_payment,
            "/api/support/contact": self._contact,
            "/api/reports/transactions": self._report,
            "/api/exports/transactions": self._export,
            "/api/webhooks/cryptomus": self._cryptomus,
            "/api/webhooks/nowpayments": self._nowpayments,
        }

    def _forgot_password(self, request: Request) -> Said:
        """Have a reset sent to whoever has an account: whether there is one, only the job looks."""
        producing.forgot_password(request.read(ForgotPassword).email)
        return {"message": "If there is an account with this address, a mail is on its way"}

    def _send_otp(self, request: Request) -> Said:
        """Send a one-time code; keep a digest of it only."""
        asked = request.read(SendOtp)
        code = f"{secrets.randbelow(10**6):06d}"
        kept = producing.digest(asked.email.lower(), code)
        self.store().add_token(Token(kind="otp", id=kept, expires_at=self.now() + CODE_LASTS))
        producing.send_code(asked.email, code)
        return {"message": "The code is on its way"}

    def _process_payment(self, request: Request) -> Said:
        """Take a payment in. `Idempotency-Key` makes a second click the same payment."""
        user, asked = request.signed_in(), request.read(Pay)
        key = request.headers.get("idempotency-key") or secrets.token_hex(16)
        order = PaymentOrder(
            transaction_id=f"tx-{producing.digest(user.id, key)}",
            user_id=user.id,
            email=user.email,
            amount=asked.amount,
            currency=asked.currency,
            method=asked.method,
        )
        producing.process_payment(order)
        return {"transactionId": order.transaction_id, "message": "The payment is being processed"}

    def _contact(self, request: Request) -> Said:
        """Hand a letter to the support."""
        user, asked = request.signed_in(), request.read(Contact)
        text = f"From: {user.name} <{user.email}>\n\n{asked.message}"
        producing.send_email(self.settings().support, f"Support: {asked.subject}", text)
        return {"message": "Your letter is on its way"}

    def _report(self, request: Request) -> Said:
        """Have the transactions of a period reported; for administrators."""
        self._check_admin(request)
        asked = request.read(ReportRange)
        receipt = producing.generate_report(asked.start, asked.end)
        return {"jobId": receipt.job_id, "message": "The report is being made"}

    def _export(self, request: Request) -> Said:
        """Have the user's own transactions exported."""
        user, asked = request.signed_in(), request.read(ExportFilters).filters
        wanted = ExportTransactions(start=asked.start, end=asked.end, user_id=user.id, email=user.email)
        receipt = producing.export_transactions(wanted)
        return {"jobId": receipt.job_id, "message": "You get a mail when the export is ready"}

    def _cryptomus(self, request: Request) -> Said:
        """Take in what Cryptomus says of a payment."""
        key = self.settings().cryptomus_key.get_secret_value()
        return _heard(lambda: Cryptomus.model_validate(check_cryptomus(request.body, key)))

    def _nowpayments(self, request: Request) -> Said:
        """Take in what NOWPayments says of a payment."""
        secret = self.settings().nowpayments_secret.get_secret_value()
        return _heard(lambda: NowPayments.model_validate(check_nowpayments(request.body, request.headers, secret)))

    def _check_admin(self, request: Request) -> None:
        token = self.settings().admin_token.get_secret_value()
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token or not hmac.compare_digest(given.encode(), token.encode()):
            raise HttpError(HTTPStatus.FORBIDDEN, "for administrators only")


def by_address(store: Store, headers: Mapping[str, str]) -> User | None:
    """Return the account whose address is the bearer token: enough for a laptop, no identity for the world."""
    given = headers.get("authorization", "").removeprefix("Bearer ")
    return store.user_by_email(given) if "@" in given else None


def _heard(read: Callable[[], Cryptomus | NowPayments]) -> Said:
    try:
        receipt = producing.hear_of_payment(read())
    except SignatureError as error:
        raise HttpError(HTTPStatus.UNAUTHORIZED, str(error)) from None
    except ValidationError as error:
        fields = ", ".join(dict.fromkeys(str(one["loc"][0]) for one in error.errors() if one["loc"]))
        raise HttpError(HTTPStatus.BAD_REQUEST, f"can't be used: {fields}") from None
    return {"duplicate": receipt.duplicate}


application: Final = Shop(signed_in=by_address)
