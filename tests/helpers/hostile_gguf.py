"""A catalogue of hostile GGUF files."""

import struct
from functools import cache

from helpers.hostile import BIG, LENGTHS, MANY

U8, U32, F32, BOOL, TEXT, LIST, U64 = 0, 4, 6, 7, 8, 9, 10
HUGE = (1 << 64) - 1


def text(content):
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return struct.pack("<Q", len(content)) + content


def setting(name, kind, value):
    """One setting; `value` are its bytes."""
    return text(name) + struct.pack("<I", kind) + value


def word(value, kind="I"):
    return struct.pack(f"<{kind}", value)


def many(kind, count, content=b""):
    """A list."""
    return struct.pack("<IQ", kind, count) + content


def tensor(name="a", shape=(1,), kind=0, offset=0, axes=None):
    axes = len(shape) if axes is None else axes
    return text(name) + word(axes) + struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, offset)


def gguf(settings=(), tensors=(), data=bytes(32), version=3, counts=None):
    counts = counts or (len(tensors), len(settings))
    head = b"GGUF" + word(version) + struct.pack("<2Q", *counts) + b"".join(settings) + b"".join(tensors)
    return head + bytes(-len(head) % 32) + data


GPT2 = setting("general.architecture", TEXT, text("gpt2"))


@cache
def settings_of():
    """Settings that are wrong."""
    return {
        "a type that is none": [setting("a", 13, word(1))],
        "a type far out": [setting("a", 0xFFFFFFFF, word(1))],
        "neither true nor false": [setting("a", BOOL, b"\x02")],
        "a list of lists": [setting("a", LIST, many(LIST, 1, many(U8, 1, b"1")))],
        "lists, deep": [setting("a", LIST, many(LIST, 1) * 100_000)],
        "a list of an unknown type": [setting("a", LIST, many(77, 1, b"1"))],
        "a list of many bytes that are not there": [setting("a", LIST, many(U8, 1_000_000))],
        "a list of many texts that are not there": [setting("a", LIST, many(TEXT, 1_000_000))],
        "a long list of texts": [setting("a", LIST, many(TEXT, 3 * MANY, bytes(24 * MANY)))],
        "lists that are long together": [
            setting(f"{i}", LIST, many(TEXT, 300_000, bytes(2_400_000))) for i in range(8)
        ],
        "a setting twice": [setting("a", U8, b"1"), setting("a", U8, b"2")],
        "no UTF-8 in a name": [setting(b"\xff\xfe", U8, b"1")],
        "half a character": [setting("\ud800", U8, b"1")],
        "no UTF-8 in a text": [setting("a", TEXT, text(b"\xff"))],
        "a name of a million letters": [setting("x" * MANY, U8, b"1")],
        "an alignment of 0": [setting("general.alignment", U32, word(0))],
        "an alignment of 3": [setting("general.alignment", U32, word(3))],
        "an alignment far out": [setting("general.alignment", U64, word(BIG, "Q"))],
        "an alignment that is a text": [setting("general.alignment", TEXT, text("32"))],
        "an alignment that is a list": [setting("general.alignment", LIST, many(U32, 1, word(32)))],
        "an alignment that is true": [setting("general.alignment", BOOL, b"\x01")],
        "no architecture": [],
        "an architecture that is a number": [setting("general.architecture", U32, word(1))],
        "an architecture that is a list": [setting("general.architecture", LIST, many(TEXT, 1, text("gpt2")))],
        "an architecture that steers terminals": [setting("general.architecture", TEXT, text("\x1b[31m\n"))],
        "an architecture of a million letters": [setting("general.architecture", TEXT, text("x" * MANY))],
        "an architecture that nobody reads": [setting("general.architecture", TEXT, text("mamba"))],
        "a setting that nobody knows": [GPT2, setting("gpt2.\x1b[31mnew", U32, word(1))],
        "one part of several": [GPT2, setting("split.count", U32, word(3))],
        "sizes that are texts": [GPT2, setting("gpt2.block_count", TEXT, text("2"))],
        "sizes that are lists": [GPT2, setting("gpt2.block_count", LIST, many(U32, 1, word(2)))],
        "sizes that are lists of texts": [GPT2, setting("gpt2.block_count", LIST, many(TEXT, 1, text("2")))],
        "sizes far out": [GPT2, setting("gpt2.block_count", U64, word(BIG, "Q"))],
        "sizes that are not numbers": [GPT2, setting("gpt2.block_count", F32, word(float("nan"), "f"))],
    }


@cache
def tensors_of():
    """Lists of tensors that are wrong."""
    return {
        "a shape beyond memory": [tensor(shape=(BIG,))],
        "a shape of all 64 bits": [tensor(shape=(HUGE, HUGE, HUGE, HUGE))],
        "a product that overflows to 1": [tensor(shape=(1 << 32, (1 << 32) + 1))],
        "a product that overflows to 0": [tensor(shape=(1 << 32, 1 << 32))],
        "an axis of 0 beside one beyond memory": [tensor(shape=(0, BIG, BIG))],
        "five axes": [tensor(shape=(1,) * 5)],
        "a million axes": [tensor(axes=MANY)],
        "axes of all 32 bits": [tensor(axes=0xFFFFFFFF)],
        "an offset far out": [tensor(offset=BIG)],
        "an offset of all 64 bits": [tensor(offset=HUGE - 31)],
        "an offset between": [tensor(offset=1)],
        "one byte too many": [tensor(shape=(9,))],
        "two in one place": [tensor(), tensor("b")],
        "two that overlap": [tensor(shape=(9,)), tensor("b", offset=32)],
        "a tensor twice": [tensor(), tensor(offset=32)],
        "a tensor twice, once empty": [tensor(shape=(0,)), tensor()],
        "a type that is none": [tensor(kind=4)],
        "a type far out": [tensor(kind=0xFFFFFFFF)],
        "a row that is half a block": [tensor(shape=(16,), kind=2)],
        "rows that are half blocks": [tensor(shape=(16, 2), kind=2)],
        "a name that steers terminals": [tensor("\x1b[31m\x1b]0;x\x07", shape=(16,), kind=2)],
        "a name of several lines": [tensor("a\nError: b\r\n", offset=1)],
        "a name that leads elsewhere": [tensor("../../etc/passwd")],
        "a name with NUL": [tensor("a\0b")],
        "a name that runs backwards": [tensor("\u202eabc", offset=1)],
        "an empty name": [tensor("")],
        "a name that is no UTF-8": [tensor(b"\xff")],
        "a name of a thousand letters": [tensor("x" * 1000)],
        "a name that Hugging Face has": [tensor("token_embd.weight"), tensor("wte.weight", offset=32)],
        "a block that is none": [tensor("blk.99999999999999999999.attn_qkv.weight")],
        "a name twice, written in two ways": [
            tensor("blk.1.attn_qkv.weight"),
            tensor("blk.01.attn_qkv.weight", offset=32),
        ],
        "many tensors": [tensor(f"t{i}", shape=(0,)) for i in range(60_000)],
        "many tensors of nobody": [tensor(f"t{i}", shape=(0,)) for i in range(40_000)],
    }


def gguf_files():
    """Contents of files, and what is the matter with them."""
    whole = gguf([GPT2], [tensor()])
    for length in (0, 1, 3, 4, 7, 8, 15, 23, 24, 40, len(whole) - 32, len(whole) - 29):
        yield f"cut off after {length}", whole[:length]
    for length in LENGTHS[3:]:
        yield f"{length} tensors", gguf(counts=(length, 0))
        yield f"{length} settings", gguf(counts=(0, length))
        yield f"a name of {length}", gguf([word(length, "Q")], counts=(0, 1))
        yield f"a text of {length}", gguf([text("a") + word(TEXT) + word(length, "Q")], counts=(0, 1))
        for kind in (U8, U64, TEXT, BOOL):
            yield f"a list of {length}", gguf([setting("a", LIST, many(kind, length))], counts=(0, 1))
        yield f"a list with a text of {length}", gguf([setting("a", LIST, many(TEXT, 2, word(length, "Q")))])
    for version in (0, 1, 4, 3 << 24, 0xFFFFFFFF):
        yield f"version {version}", gguf([GPT2], [tensor()], version=version)
    for said, settings in settings_of().items():
        yield said, gguf(settings, [tensor()])
    for said, tensors in tensors_of().items():
        yield said, gguf([GPT2], tensors, bytes(64) if len(tensors) == 2 and "overlap" not in said else bytes(32))
    head = b"GGUF" + word(3) + struct.pack("<2Q", 1, 1) + text("a") + word(TEXT)
    yield "a header without end", head + word(60 << 20, "Q") + bytes(61 << 20)
