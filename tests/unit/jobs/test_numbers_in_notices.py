"""Numbers in providers' notices are compared as they were written."""

from __future__ import annotations

import hmac
from base64 import b64encode
from hashlib import md5, sha512

import pytest

from jobs.signatures import SignatureError, check_cryptomus, check_nowpayments

NUMBERS = (
    "0.00005",
    "5e-05",
    "1.10",
    "1.0",
    "100",
    "1E+2",
    "0.10000000000000000555111512",
    "12345678901234567890123",
    "-0",
)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_notice_of_nowpayments_is_theirs_however_its_numbers_are_written(number: str) -> None:
    signed = f'{{"a":{{"n":{number}}},"z":"x"}}'
    signature = hmac.new(b"secret", signed.encode(), sha512).hexdigest()
    body = f'{{"z":"x", "a":{{"n": {number}}}}}'.encode()

    assert check_nowpayments(body, {"x-nowpayments-sig": signature}, "secret")["z"] == "x"
    with pytest.raises(SignatureError):
        check_nowpayments(body.replace(number.encode(), b"7"), {"x-nowpayments-sig": signature}, "secret")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_notice_of_cryptomus_is_theirs_however_its_numbers_are_written(number: str) -> None:
    signed = f'{{"amount":{number},"url":"https:\\/\\/x"}}'
    signature = md5(b64encode(signed.encode()) + b"key", usedforsecurity=False).hexdigest()
    body = f'{{"amount":{number},"url":"https://x","sign":"{signature}"}}'.encode()

    assert check_cryptomus(body, "key")["url"] == "https://x"


def test_no_string_of_a_notice_can_pass_for_a_number() -> None:
    signature = hmac.new(b"secret", b'{"n":5}', sha512).hexdigest()

    with pytest.raises(SignatureError):
        check_nowpayments(b'{"n":"\\u00005\\u0000"}', {"x-nowpayments-sig": signature}, "secret")
