"""Which characters SQS refuses: all but those that its documentation lists."""

from __future__ import annotations

from lanework.model.job.sqs_text import legible, printable

_CARRIED = ("\t", "\n", "\r", (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
"""SendMessage, "Important"."""

ALL = "".join(map(chr, range(0x110000)))


def test_a_text_keeps_each_character_that_sqs_carries_and_no_other() -> None:
    carried = {ord(one) for one in _CARRIED if isinstance(one, str)}
    for one in _CARRIED:
        carried |= set() if isinstance(one, str) else {*range(one[0], one[1] + 1)}

    assert {at for at, kept in enumerate(printable(ALL)) if kept == chr(at)} == carried


def test_a_text_for_people_lacks_what_steers_a_terminal_too() -> None:
    unfit = [at for at in range(0x250) if legible(chr(at), most=9) != chr(at)]

    assert unfit == [at for at in (*range(0x20), *range(0x7F, 0xA0)) if chr(at) not in "\t\n\r"]
