from __future__ import annotations

import pytest

from lanework.model.job.fingerprint import fingerprint, fingerprint_of, shape_of
from tests.support.factories import a_record


@pytest.mark.parametrize(
    ("error", "shape"),
    [
        ("OSError: no route", "OSError: no route"),
        ("OSError: no route to 10.0.0.1:5432 after 3 tries", "OSError: no route to <n> after <n> tries"),
        ("KeyError: 'user-17'", "KeyError: <text>"),
        ('HTTPError: "https://a.example/b?c=1" said 503', "HTTPError: <text> said <n>"),
        ("HTTPError: https://a.example/b?c=1 said 503", "HTTPError: <url> said <n>"),
        ("SMTPError: bat@example.com refused", "SMTPError: <address> refused"),
        ("ValueError: can't read it, won't try", "ValueError: can't read it, won't try"),
        ("ValueError: order 01JD2N9Y0Q is 0xdeadbeef", "ValueError: order <n> is <n>"),
        ("ValueError: 3f2504e0-4f89-11d3-9a0c-0305e82c3301.", "ValueError: <n>."),
        ("Http404Error: -3.5 degrees", "Http404Error: <n> degrees"),
        ("a.b.Error", "a.b.Error"),
        ("", ""),
        ("ValueError:   spread\n  over lines", "ValueError: spread over lines"),
        ("АлдааError: 5 дахь мөр", "АлдааError: <n> дахь мөр"),
    ],
)
def test_what_differs_from_job_to_job_is_left_out_of_an_errors_shape(error: str, shape: str) -> None:
    assert shape == shape_of(error)


def test_errors_that_differ_only_in_ids_have_one_fingerprint_and_others_their_own() -> None:
    first, second = fingerprint("KeyError: order 17 of 'Bat'"), fingerprint("KeyError: order 18 of 'Bold'")

    assert first == second
    assert fingerprint("ValueError: order 17 of 'Bat'") != first
    assert len(first) == 8


def test_where_a_long_error_was_cut_off_makes_no_difference() -> None:
    long = "OSError: " + "very " * 100

    assert fingerprint(long) == fingerprint(long[:400] + "…")


def test_a_dead_job_has_the_fingerprint_that_was_found_when_it_died() -> None:
    assert fingerprint_of(a_record(error="OSError: no", fingerprint="0badcafe")) == "0badcafe"
    assert fingerprint_of(a_record(error="OSError: no")) == fingerprint("OSError: no")
