"""`lanework worker` where AWS refuses it, where AWS is away, and where it was started with what can not be meant."""

from __future__ import annotations

import re
import signal
from datetime import timedelta

import pytest

from lanework import State
from tests.support.refuser import Refusal, refuser_before
from tests.support.relay import Relay
from tests.support.shop import Shop, ended

EXPIRED = "Signature expired: 20261130T000000Z is now earlier than 20261130T000500Z"


def test_an_expired_signature_is_waited_out_by_name_and_a_wrong_key_ends_the_worker(shop: Shop) -> None:
    """At a receive, at a claim, at an outcome: told, and tried again; no job runs twice for it."""
    with refuser_before(shop.environment["AWS_ENDPOINT_URL"]) as refuser:
        shop.environment["AWS_ENDPOINT_URL"] = refuser.endpoint
        behind = timedelta(minutes=10)
        refuser.refuse(Refusal("AmazonSQS.ReceiveMessage", "InvalidSignatureException", EXPIRED, ahead=behind))
        refuser.refuse(Refusal("AmazonSQS.ReceiveMessage", "OverLimit"))
        (job_id,) = shop.enqueue(1, type_="task.wait")
        process = shop.worker("--lane", "high", "-c", "1")
        shop.until(lambda: len(shop.notes("begin")) == 1, "the job to begin")
        refuser.refuse(Refusal("DynamoDB_", "AccessDeniedException", "no policy allows it", times=3))
        shop.let_go()
        shop.until(lambda: shop.record(job_id).state is State.COMPLETED, "its outcome, at the fourth try")
        refuser.refuse(Refusal("AmazonSQS.ReceiveMessage", "UnrecognizedClientException", "invalid token", times=99))

        code, said = ended(process)
    lines = (shop.root / "log.out").read_text()
    assert (code, "UnrecognizedClientException" in said) == (1, True)
    assert (shop.said("worker.receive_failed"), shop.said("worker.receive_recovered")) == (1, 1)
    assert re.search(r"InvalidSignatureException: this machine's clock is (9 min 5\d|10 min \d) s behind AWS's", lines)
    assert (len(shop.notes("begin")), shop.record(job_id).attempts) == (1, 1)


def test_an_endpoint_that_vanishes_is_waited_for_and_said_once(shop: Shop) -> None:
    relay = Relay(shop.environment["AWS_ENDPOINT_URL"])
    shop.environment["AWS_ENDPOINT_URL"] = relay.endpoint
    process = shop.worker("--lane", "high", "--lane", "low", "-c", "4", "--lease", "3s")
    before = shop.enqueue(4)
    shop.until(lambda: shop.are_all(before, State.COMPLETED), "what came before")
    relay.vanish()
    shop.until(lambda: shop.said("worker.receive_failed") == 2, "both lanes to miss it")
    after = shop.enqueue(4)
    relay.come_back()

    shop.until(lambda: shop.are_all(after, State.COMPLETED), "what came meanwhile")
    shop.until(lambda: shop.said("worker.receive_recovered") == 2, "both lanes to be back")
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    assert shop.said("worker.receive_failed") == 2
    relay.vanish()


def test_no_credentials_are_complained_about_once(shop: Shop) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del shop.environment[name]
    shop.environment |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(shop.root)}

    code, complaint = ended(shop.worker("--lane", "high", "-p", "2"))

    assert code == 1
    assert complaint.count("no AWS credentials found") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--lane", "hihg"), "unknown lane 'hihg', did you mean 'high'?"),
        (("--lane", "high", "--concurrency", "0"), "must be a whole number from 1 to 1,000,000, got 0"),
        (("--lane", "high", "--concurrency", "-3"), "must be a whole number from 1 to 1,000,000, got -3"),
        ((), "Missing option '--lane'"),
    ],
)
def test_what_can_not_be_meant_is_refused(shop: Shop, words: tuple[str, ...], said: str) -> None:
    code, complaint = ended(shop.worker(*words))

    assert code != 0
    assert said in " ".join(complaint.replace("│", " ").split())


def test_a_stack_that_is_not_there_is_named_at_once(shop: Shop) -> None:
    shop.environment["LANEWORK_STACK"] = "nobody"

    code, complaint = ended(shop.worker("--lane", "high"))

    assert code == 1
    assert "receiving from lane high: it doesn't exist; is LANEWORK_STACK right" in complaint
