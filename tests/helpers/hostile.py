"""A catalogue of hostile files: each is one sentence of refusal, quickly and in little memory."""

import hashlib
import json
from functools import cache

BIG = 1 << 62
DEEP = 100_000
MANY = 1_000_000

# JSON that is none, or that nobody should have to read, by what is the matter with it.
JSON = {
    "empty": b"",
    "zeros": bytes(100),
    "half an object": b'{"a": ',
    "half a text": b'{"a": "' + b"x" * 1000,
    "a text that ends in a backslash": b'{"a": "\\',
    "a list without end": b"[" + b"1," * 1000,
    "no quotes": b"{a: 1}",
    "single quotes": b"{'a': 1}",
    "a comma at the end": b'{"a": 1,}',
    "a comment": b'{"a": 1} // one',
    "two documents": b'{"a": 1}{"b": 2}',
    "a number": b"3",
    "a text": b'"x"',
    "true": b"true",
    "null": b"null",
    "a list": b'[{"a": 1}]',
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "beyond all numbers": b'{"a": 1e999}',
    "5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "5000 digits behind the point": b'{"a": 0.' + b"9" * 5000 + b"}",
    "a leading zero": b'{"a": 01}',
    "hexadecimal": b'{"a": 0x10}',
    "a name twice": b'{"a": 1, "a": 2}',
    "a name twice, deeper": b'{"a": {"b": 1, "\\u0062": 2}}',
    "half a character": b'{"a": "\\ud800"}',
    "half a character as a name": b'{"\\udfff": 1}',
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "overlong UTF-8": b'{"a": "\xc0\xaf"}',
    "half a character in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a control character in a text": b'{"a": "\x1b[31m"}',
    "an escape that is none": b'{"a": "\\x1b"}',
    "lists, deep": b"[" * DEEP,
    "lists, deep and closed": b"[" * DEEP + b"]" * DEEP,
    "objects, deep": b'{"a":' * DEEP,
    "objects, deep and closed": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "both, deep": b'[{"a":' * DEEP,
    "many numbers": b'{"a": [' + b"0," * MANY + b"0]}",
    "many lists": b'{"a": [' + b"[]," * MANY + b"0]}",
    "many objects": b'{"a": [' + b"{}," * MANY + b"0]}",
    "much space": b"{" + b" " * (16 << 20) + b"}",
}


def tensor(dtype="F32", shape=(1,), begin=0, end=4, **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


# What the header of a safetensors file says that holds four bytes.
HEADERS = {
    "offsets far out": {"a": tensor(begin=BIG, end=BIG + 4)},
    "an end far out": {"a": tensor(end=BIG)},
    "an end beyond 64 bits": {"a": tensor(end=1 << 70)},
    "an end of 900 digits": {"a": tensor(end=10**900)},
    "a beginning below 0": {"a": tensor(begin=-4, end=0)},
    "both below 0": {"a": tensor(begin=-8, end=-4)},
    "the end before the beginning": {"a": tensor(begin=4, end=0)},
    "offsets that are fractions": {"a": tensor(begin=0.0, end=4.0)},
    "offsets that are texts": {"a": tensor(begin="0", end="4")},
    "offsets that are true": {"a": tensor(begin=False, end=True)},
    "no offsets": {"a": tensor(begin=None, end=None)},
    "three offsets": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}},
    "one offset": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}},
    "offsets in an object": {"a": {"dtype": "F32", "shape": [1], "data_offsets": {"0": 0, "1": 4}}},
    "a million offsets": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0] * MANY}},
    "two in one place": {"a": tensor(), "b": tensor()},
    "two that overlap": {"a": tensor("U8", (3,), 0, 3), "b": tensor("U8", (2,), 2, 4)},
    "one inside another": {"a": tensor(), "b": tensor("U8", (1,), 1, 2)},
    "a hole at the beginning": {"a": tensor("U8", (2,), 2, 4)},
    "a hole": {"a": tensor("U8", (1,), 0, 1), "b": tensor("U8", (1,), 3, 4)},
    "bytes of nobody": {"a": tensor("U8", (3,), 0, 3)},
    "nothing at all": {},
    "a shape below 0": {"a": tensor(shape=(-1,))},
    "two axes below 0": {"a": tensor(shape=(-1, -1))},
    "a shape beyond memory": {"a": tensor(shape=(BIG,))},
    "a product that overflows to 1": {"a": tensor(shape=(1 << 32, (1 << 32) + 1))},
    "a product that overflows to 0": {"a": tensor(shape=(1 << 32, 1 << 32), end=0), "b": tensor()},
    "an axis of 0 beside one beyond memory": {"a": tensor(shape=(0, BIG, BIG), end=0), "b": tensor()},
    "a hundred axes": {"a": tensor(shape=(1,) * 100)},
    "a million axes": {"a": tensor(shape=(1,) * MANY)},
    "a shape that is a number": {"a": tensor(shape=1)},
    "a shape that is a text": {"a": tensor(shape="1")},
    "no shape": {"a": tensor(shape=None)},
    "axes that are fractions": {"a": tensor(shape=(1.0,))},
    "axes that are true": {"a": tensor(shape=(True,))},
    "axes that are lists": {"a": tensor(shape=([1],))},
    "a dtype that is none": {"a": tensor("F33")},
    "no dtype": {"a": tensor(None)},
    "a dtype that is a number": {"a": tensor(32)},
    "a dtype that is a list": {"a": tensor(["F32"])},
    "a dtype of a million letters": {"a": tensor("F" * MANY)},
    "a dtype with control characters": {"a": tensor("\x1b[31mF32\x00\r\n")},
    "a type that is not whole bytes": {"a": tensor("F4", (8,))},
    "one key more": {"a": tensor(more=1)},
    "a tensor that is a list": {"a": [tensor()]},
    "a tensor that is null": {"a": None},
    "metadata that is a list": {"__metadata__": [], "a": tensor()},
    "metadata that is a tensor": {"__metadata__": tensor()},
    "metadata of numbers": {"__metadata__": {"a": 1}, "a": tensor()},
    "metadata of objects": {"__metadata__": {"a": {}}, "a": tensor()},
    "a name that steers terminals": {"\x1b[31m\x1b]0;x\x07": tensor()},
    "a name of several lines": {"a\nError: b\r\n": tensor()},
    "a name that leads elsewhere": {"../../etc/passwd": tensor()},
    "a name with NUL": {"a\0b": tensor()},
    "a name that runs backwards": {"\u202eabc": tensor()},
    "an empty name": {"": tensor()},
    "a name of a million letters": {"x" * MANY: tensor()},
}


@cache
def headers():
    """The texts of these, and of those that take long to make."""
    empty = json.dumps(tensor(shape=(0,), end=0))
    many, fewer = (", ".join(f'"t{i}": {empty}' for i in range(count)) for count in (200_000, 40_000))
    return {
        **{name: json.dumps(entries) for name, entries in HEADERS.items()},
        "many empty tensors": f"{{{many}}}",
        "many tensors of nobody": f'{{{fewer}, "a": {json.dumps(tensor())}}}',
    }


LENGTHS = [0, 1, 7, 1 << 20, 1 << 31, 1 << 32, 1 << 40, BIG, (1 << 63) - 1, 1 << 63, (1 << 64) - 8, (1 << 64) - 1]
NUMBERS = [None, -1, 0, 0.5, True, "x", [], {}, BIG, 10**900, 1e300, [[]], "\x1b[31m\n", "x" * 100_000]
"""Values that a setting of a configuration can't have."""


FINE = {("llmtrace", str), ("text", str), ("tokenization", dict), ("steps", list)}
FINE |= {("text", type(None)), ("tokenization", type(None))}
"""Types of what a trace's note says that any value may have. A run of ids has neither a text nor a tokenization."""


def safetensors(header, data=bytes(4)):
    return len(header).to_bytes(8, "little") + header + data


def weight_files():
    """Contents of model.safetensors."""
    for name, text in JSON.items():
        yield f"header: {name}", safetensors(text)
    for name, entries in headers().items():
        yield name, safetensors(entries.encode())
    for length in LENGTHS:
        yield f"length {length}", length.to_bytes(8, "little") + b'{"a": 1}'
    yield (
        "a name twice among tensors",
        safetensors(f'{{"a": {json.dumps(tensor())}, "a": {json.dumps(tensor())}}}'.encode()),
    )


def trace_files(path):
    """Contents of a trace file, under seals that fit: `path` is a good one."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    good = json.loads(header["__metadata__"]["llmtrace"])

    def sealed(entries):
        head = json.dumps(entries).encode()
        head = len(head).to_bytes(8, "little") + head
        return head + content[start:-32] + hashlib.sha256(head).digest()

    def noted(note):
        return sealed({**header, "__metadata__": {**header["__metadata__"], "llmtrace": note}})

    for name, text in JSON.items():
        yield f"note: {name}", noted(text.decode("utf-8", "replace"))
    for key in good:
        for value in (None, -1, "x", [], {"a": 1}, BIG):
            if value != good[key] and (key, type(value)) not in FINE:
                yield f"{key} is {value!r}", noted(json.dumps({**good, key: value}))
        if key not in {"legend", "labels"}:  # which older files do not have
            yield f"no {key}", noted(json.dumps({name: value for name, value in good.items() if name != key}))
    for name in ("a hole", "two that overlap", "a shape below 0", "an end far out", "a name that leads elsewhere"):
        yield name, sealed({**header, **HEADERS[name]})
