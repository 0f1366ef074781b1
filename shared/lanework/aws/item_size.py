"""How large an item is, as DynamoDB counts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_ITEM: Final = 400 * 1024
"""Bytes of an item (DynamoDB, "Quotas")."""


def size_of(item: Mapping[str, Any]) -> int:
    """Return an item's size as DynamoDB counts it: its names and its values (DynamoDB, "Item sizes and formats")."""
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def _size_of_value(value: Mapping[str, Any]) -> int:
    kind, one = next(iter(value.items()))
    match kind:
        case "S":
            return len(str(one).encode(errors="replace"))
        case "N":
            return (len(str(one)) + 1) // 2 + 1
        case "B":
            return len(one)
        case "SS" | "NS" | "BS":
            return sum(_size_of_value({kind[0]: inner}) for inner in one)
        case "M":
            return 3 + len(one) + size_of(one)
        case "L":
            return 3 + sum(1 + _size_of_value(inner) for inner in one)
        case _:
            return 1
