"""Terraform's language, as far as the module has it: what python-hcl2 parsed is worked out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Value = Callable[[], Any]

_WORDS = re.compile(
    r'\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|&&|\|\||>=|<=|[][(){}?:!,.=])|(?P<text>"))'
)


def _try(*values: Value) -> Any:
    for one in values:
        try:
            return one()
        except (IndexError, KeyError):
            continue
    raise AssertionError


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "compact": lambda values: [one for one in values() if one],
    "concat": lambda *lists: [one for values in lists for one in values()],
    "join": lambda by, values: by().join(values()),
    "jsonencode": lambda value: json.dumps(value()),
    "length": lambda values: len(values()),
    "merge": lambda *values: {key: one for some in values for key, one in some().items()},
    "tostring": lambda value: str(value()),
    "try": _try,
}


@dataclass
class Expression:
    """
    Works one expression out, by recursive descent; sides that aren't taken are read, and not worked out.

    Attributes:
        scope: Returns the value of a name with its parts, such as `["var", "stack"]`.
    """

    text: str
    scope: Callable[[list[str]], Any]
    at: int = 0

    def value(self) -> Any:
        found = self._choice()
        assert not self.text[self.at :].strip(), self.text[self.at :]
        return found()

    def _peek(self) -> str:
        found = _WORDS.match(self.text, self.at)
        return found[0].strip() if found else ""

    def _take(self, *wanted: str) -> str | None:
        found = _WORDS.match(self.text, self.at)
        if found is None or (wanted and found[0].strip() not in wanted):
            return None
        self.at = found.end()
        return found[0].strip()

    def _choice(self) -> Value:
        condition = self._binary(0)
        if not self._take("?"):
            return condition
        then = self._choice()
        assert self._take(":")
        otherwise = self._choice()
        return lambda: then() if condition() else otherwise()

    def _binary(self, level: int) -> Value:
        if level == 3:
            return self._unary()
        left = self._binary(level + 1)
        while sign := self._take(*(("||",), ("&&",), ("==",))[level]):
            left = _joined(sign, left, self._binary(level + 1))
        return left

    def _unary(self) -> Value:
        if self._take("!"):
            inner = self._unary()
            return lambda: not inner()
        return self._indexed(self._primary())

    def _indexed(self, value: Value) -> Value:
        while self._take("["):
            index = self._choice()
            assert self._take("]")
            value = _item(value, index)
        return value

    def _primary(self) -> Value:
        word = self._take()
        assert word, self.text[self.at :]
        if word == '"':
            return self._template()
        if word == "(":
            inner = self._choice()
            assert self._take(")")
            return inner
        if word == "[":
            values = self._many("]")
            return lambda: [one() for one in values]
        if word == "{":
            return self._object()
        if word[0].isdigit():
            return lambda: json.loads(word)
        return self._named(word)

    def _named(self, word: str) -> Value:
        if word in ("true", "false", "null"):
            return lambda: json.loads(word)
        if self._take("("):
            arguments = self._many(")")
            return lambda: FUNCTIONS[word](*arguments)
        path = [word]
        while self._peek() in (".", "[") and (len(path) > 1 or self._peek() == "."):
            if self._take("."):
                path.append(str(self._take()))
            elif path[0].startswith("aws") and re.match(r"\s*\[0\]", self.text[self.at :]):
                self.at = self.text.index("]", self.at) + 1
            else:
                break
        return lambda: self.scope(path)

    def _many(self, end: str) -> list[Value]:
        values = []
        while not self._take(end):
            values.append(self._choice())
            self._take(",")
        return values

    def _object(self) -> Value:
        entries = []
        while not self._take("}"):
            word = str(self._take())
            key = self._template() if word == '"' else _constant(word)
            assert self._take("=")
            entries.append((key, self._choice()))
            self._take(",")
        return lambda: {key(): one() for key, one in entries}

    def _template(self) -> Value:
        parts: list[Value] = []
        literal = ""
        while self.text[self.at] != '"':
            if self.text.startswith(("$${", "%%{"), self.at):
                literal, self.at = f"{literal}{self.text[self.at]}{{", self.at + 3
            elif self.text.startswith("${", self.at):
                self.at += 2
                parts += [_constant(json.loads(f'"{literal}"')), self._choice()]
                literal = ""
                assert self._take("}")
            else:
                size = 2 if self.text[self.at] == "\\" else 1
                literal, self.at = literal + self.text[self.at : self.at + size], self.at + size
        self.at += 1
        parts.append(_constant(json.loads(f'"{literal}"')))
        return lambda: "".join(str(one()) for one in parts)


def _constant(value: Any) -> Value:
    return lambda: value


def _item(value: Value, index: Value) -> Value:
    return lambda: value()[index()]


def _joined(sign: str, left: Value, right: Value) -> Value:
    match sign:
        case "||":
            return lambda: left() or right()
        case "&&":
            return lambda: left() and right()
        case _:
            return lambda: left() == right()


def worked_out(node: Any, scope: Callable[[list[str]], Any]) -> Any:
    """Return what python-hcl2 parsed with all expressions worked out."""
    if isinstance(node, dict):
        return {key.strip('"'): worked_out(one, scope) for key, one in node.items() if key != "__is_block__"}
    if isinstance(node, list):
        return [worked_out(one, scope) for one in node]
    if isinstance(node, str):
        return Expression(node[2:-1] if node.startswith("${") else node, scope).value()
    return node
