"""Writing never destroys what it did not make."""

import os
import stat
import threading

import numpy as np
import pytest

from llmtrace.errors import ModelError
from llmtrace.storage.replace import replacing, replacing_files_of, write_whole
from llmtrace.storage.store import save


def everything(folder):
    return sorted(path.name for path in folder.iterdir())


def write(path):
    write_whole(path, [b"new"])


def write_tensors(path):
    save({"x": np.zeros(2, np.float32)}, path)


WRITERS = pytest.mark.parametrize("writer", [write, write_tensors])


@WRITERS
def test_a_link_stays_a_link(tmp_path, writer):
    real, link, chain = tmp_path / "real", tmp_path / "link", tmp_path / "chain"
    real.write_text("old")
    link.symlink_to("real")
    chain.symlink_to(link)
    writer(chain)
    assert link.is_symlink()
    assert chain.is_symlink()
    assert real.read_bytes() != b"old"
    assert everything(tmp_path) == ["chain", "link", "real"]


@WRITERS
def test_a_link_to_nothing_leads_to_a_new_file(tmp_path, writer):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere/new")
    writer(tmp_path / "link")
    assert (tmp_path / "elsewhere" / "new").is_file()
    assert (tmp_path / "link").is_symlink()
    assert everything(tmp_path / "elsewhere") == ["new"]


@WRITERS
def test_links_in_a_circle_are_refused(tmp_path, writer):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ModelError, match="can't be written"):
        writer(tmp_path / "a")
    assert everything(tmp_path) == ["a", "b"]


@WRITERS
def test_a_pipe_a_socket_and_a_folder_are_left_alone(tmp_path, writer):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to-pipe").symlink_to("pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "to-pipe", "folder"):
        with pytest.raises(ModelError, match=r"can't be written: (it is not a regular file|Is a directory)"):
            writer(tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)
    assert everything(tmp_path) == ["folder", "pipe", "to-pipe"]


@WRITERS
def test_a_pipe_that_is_read_is_left_alone_too(tmp_path, writer):
    os.mkfifo(tmp_path / "pipe")
    reader = threading.Thread(target=lambda: os.close(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)))
    reader.start()
    with pytest.raises(ModelError, match="not a regular file"):
        writer(tmp_path / "pipe")
    reader.join()
    assert (tmp_path / "pipe").is_fifo()


@WRITERS
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_mode_of_the_old_file_stays(tmp_path, writer, mode):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    writer(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@WRITERS
def test_a_read_only_file_is_left_alone_by_root_as_well(tmp_path, writer):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(ModelError, match="can't be written: Permission denied"):
        writer(path)
    assert path.read_text() == "old"
    assert everything(tmp_path) == ["file"]


def test_files_of_a_folder_go_where_its_links_lead(tmp_path):
    """As in the hub's cache, whose files are links to blobs."""
    (tmp_path / "blob").write_text("old")
    folder = tmp_path / "snapshot"
    folder.mkdir()
    (folder / "config.json").symlink_to("../blob")
    (folder / "other").write_text("kept")
    (tmp_path / "way").symlink_to("snapshot")
    with replacing_files_of(tmp_path / "way") as temporary:
        (temporary / "config.json").write_text("new")
    assert (folder / "config.json").is_symlink()
    assert ((tmp_path / "blob").read_text(), (folder / "other").read_text()) == ("new", "kept")
    assert (tmp_path / "way").is_symlink()
    assert everything(tmp_path) == ["blob", "snapshot", "way"]


def test_nothing_of_a_folder_is_written_where_one_file_can_t_be(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a").write_text("old")
    (folder / "b").write_text("old")
    (folder / "b").chmod(0o444)

    def written():
        with replacing_files_of(folder) as temporary:
            (temporary / "a").write_text("new")
            (temporary / "b").write_text("new")

    with pytest.raises(ModelError, match="can't be written"):
        written()
    assert (folder / "a").read_text() == "old"
    assert everything(tmp_path) == ["model"]


@WRITERS
def test_what_a_killed_writer_of_the_same_number_left_is_removed_and_nothing_else(tmp_path, writer):
    """In a container, every run of a program may have the number 1."""
    left = f".a.{os.getpid()}.0123456789abcdef.part"
    (tmp_path / left).write_text("half")
    (tmp_path / f".b{left}").write_text("of another file")
    with replacing(tmp_path / "a") as own:
        assert not (tmp_path / left).exists()
        writer(tmp_path / "a")
        assert own.exists()
        own.write_text("last")
    assert (tmp_path / "a").read_text() == "last"
    assert everything(tmp_path) == [f".b{left}", "a"]


def test_a_folder_that_was_left_behind_is_removed_too(tmp_path):
    (tmp_path / f".m.{os.getpid()}.0123456789abcdef.part").mkdir()
    (tmp_path / "elsewhere").mkdir()
    with replacing_files_of(tmp_path / "m") as own:
        (own / "x").write_text("1")
        with replacing_files_of(tmp_path / "." / "elsewhere" / ".." / "m") as other:  # the same, written otherwise
            (other / "y").write_text("2")
    assert everything(tmp_path) == ["elsewhere", "m"]
    assert everything(tmp_path / "m") == ["x", "y"]
