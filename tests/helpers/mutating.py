"""Seeded changes to good files: values that readers trip over, put where a good value stood, and bytes that are off."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

CODE = (
    "torch.os.system('touch PWNED')",
    "__import__('os').system('touch PWNED')",
    "0); __import__('os').system('touch PWNED'); (0",
    '"""\nimport os; os.system("touch PWNED")\n"""',
    "'); import os; os.system('touch PWNED') #",
    "os:system",
    "posix.system",
)
TEXTS = (
    *("", " ", "a", "self", "lambda", "__class__", "__init__", "forward", "torch.float32", "inf", "None", "True", "1"),
    *("a\nb", "a\r\nb", "\x1b[31m", "\0", "\u2028", "\u202e", "\ud800", "'", '"', '"""', "\\", "{0}", "%s", "x" * 600),
    *("../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x", "file:///etc/passwd", "![x](http://127.0.0.1/t.png)"),
)
NUMBERS = (
    *(0, -1, 1, 2, 3, 7, 64, 4096, 2**16, 2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**63, 10**40, -(2**31)),
    *(0.0, -0.5, 1.5, 1e-300, 1e308, float("nan"), float("inf"), -float("inf")),
)
OTHERS: tuple[Any, ...] = (
    *(None, True, False, [], {}, [[]], [0] * 9, [None], [1, "a"], {"a": 1}, [[[[[[[[[[[[0]]]]]]]]]]]], {"": {"": []}}),
    *({"node": "input_1"}, {"node": "x"}, {"tuple": [1, 2]}, {"slice": [0, None, "a"]}, {"slice": [1, 2]}),
    *({"dtype": "float32"}, {"dtype": "os"}, {"memory_format": "channels_last"}, {"float": "nan"}, {"ellipsis": True}),
)
Json = Any
Change = Callable[[random.Random, Json, Any], Json]  # (dice, the whole document, a value in it) -> what takes its place


def nasty(dice: random.Random) -> Json:
    """A value that is seldom welcome."""
    return copy.deepcopy(dice.choice(dice.choice((CODE, TEXTS, NUMBERS, OTHERS))))


def places(value: Json) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from places(inner)


def _tweaked(dice: random.Random, _: Json, value: Any) -> Json:
    """The value, a little off."""
    if isinstance(value, bool) or value is None:
        return int(bool(value))
    if isinstance(value, (int, float)):
        return dice.choice((value + 1, value - 1, -value, value * 2, value * 1000, float(value), str(value)))
    if isinstance(value, str):
        return dice.choice((value + dice.choice(TEXTS), value[:-1], value.upper(), value + dice.choice(CODE), [value]))
    return [value] if isinstance(value, dict) else [*value, *value[:1]]


def _from_elsewhere(dice: random.Random, whole: Json, _: Any) -> Json:
    container, key = dice.choice(list(places(whole)))
    return copy.deepcopy(container[key])


_CHANGES: tuple[Change, ...] = (lambda dice, whole, value: nasty(dice), _tweaked, _tweaked, _from_elsewhere)


def changed(dice: random.Random, document: Json, times: int = 1) -> Json:
    """A copy of a JSON document with some values replaced, added, renamed, moved or gone."""
    document = copy.deepcopy(document)
    for _ in range(times):
        container, key = dice.choice(list(places(document)) or [(document, None)])
        if key is None:
            return nasty(dice)
        act = dice.choices(("replace", "delete", "add", "rename"), (7, 1, 1, 1))[0]
        if act == "replace":
            container[key] = dice.choice(_CHANGES)(dice, document, container[key])
        elif act == "delete":
            del container[key]
        elif isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]) if act == "add" else nasty(dice))
        elif act == "add":
            container[dice.choice((*TEXTS, *CODE))] = nasty(dice)
        else:
            container[dice.choice((*TEXTS, *CODE))] = container.pop(key)
    return document


def damaged(dice: random.Random, data: bytes) -> bytes:
    """Bytes with some flipped, cut out, doubled or put in."""
    content = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        start = dice.randrange(len(content) + 1)
        stop = min(len(content), start + dice.choice((1, 1, 4, 64, 1000)))
        act = dice.choice(("flip", "cut", "double", "put", "end"))
        if act == "flip" and start < len(content):
            content[start] ^= 1 << dice.randrange(8)
        elif act == "cut":
            del content[start:stop]
        elif act == "double":
            content[start:start] = content[start:stop]
        elif act == "put":
            content[start:start] = dice.choice((b"\0", b"\xff" * 8, b"cos\nsystem\n(S'touch PWNED'\ntR.", b"{", b'"'))
        elif act == "end":
            del content[max(start, 1) :]
    return bytes(content)
