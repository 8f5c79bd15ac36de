import numpy as np
import pytest
from gguf import GGUFReader
from helpers.gguf_files import write_gpt2
from helpers.hostile_gguf import gguf, gguf_files, many, setting, tensor, text, word
from helpers.refusing import expect_refused

import llmtrace
from llmtrace.errors import ModelError
from llmtrace.storage.gguf import open_gguf


def test_hostile_files(tmp_path):
    path = tmp_path / "m.gguf"
    count = 0
    for said, content in gguf_files():
        path.write_bytes(content)
        expect_refused(said, llmtrace.load, path, len(content))
        count += 1
    assert count > 150


@pytest.mark.parametrize("size", [4, 5, 8, 23])
def test_a_file_that_ends_inside_its_header_is_cut_off(tmp_path, size):
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf()[:size])
    with pytest.raises(ModelError, match=f"is cut off: it ends inside its header, after {size} bytes"):
        open_gguf(path)


def test_settings_of_every_type(tmp_path):
    values = {"<u1": 0, "<i1": 1, "<u2": 2, "<i2": 3, "<u4": 4, "<i4": 5, "<f4": 6, "<u8": 10, "<i8": 11, "<f8": 12}
    settings = [setting(kind, n, np.array(100, kind).tobytes()) for kind, n in values.items()]
    lists = [setting(f"list {kind}", 9, many(n, 3, np.arange(3).astype(kind).tobytes())) for kind, n in values.items()]
    rest = [setting("t", 8, text("é")), setting("b", 7, b"\1"), setting("ts", 9, many(8, 2, text("é") + text("")))]
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf([*settings, *lists, *rest]))
    found = open_gguf(path).settings
    for kind in values:
        assert found[kind] == 100
        assert found[f"list {kind}"].dtype == kind
        assert found[f"list {kind}"].tolist() == [0, 1, 2]
    assert found["t"] == "é"
    assert found["b"] is True
    assert list(found["ts"]) == ["é", ""]
    assert len(found["ts"]) == 2


def test_the_header_is_what_its_own_program_reads(tmp_path):
    path = write_gpt2(tmp_path / "m.gguf")
    ours, theirs = open_gguf(path), GGUFReader(path)
    assert {t.name: t.shape.tolist()[::-1] for t in theirs.tensors} == {
        n: list(t.shape) for n, t in ours.tensors.items()
    }
    for each in theirs.tensors:
        assert ours.tensors[each.name].read().tobytes() == each.data.tobytes()


@pytest.mark.parametrize("alignment", [8, 32, 4096])
def test_alignment(tmp_path, alignment):
    path = tmp_path / "m.gguf"
    whole = gguf([setting("general.alignment", 4, word(alignment))], [tensor()], b"")
    exact = len(b"GGUF") + 4 + 16 + len(setting("general.alignment", 4, word(alignment))) + len(tensor())
    path.write_bytes(whole[:exact] + bytes(-exact % alignment) + np.float32(7).tobytes())
    assert open_gguf(path).tensors["a"].read() == [7]


def test_a_file_cut_short_after_it_was_opened(tmp_path):
    path = write_gpt2(tmp_path / "m.gguf")
    tensors = open_gguf(path).tensors
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ModelError, match="has become shorter since it was opened"):
        [each.read() for each in tensors.values()]
