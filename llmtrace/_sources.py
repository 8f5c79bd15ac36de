"""A checksum of csrc/, so that an extension older than its sources is refused. setup.py uses this file too."""

import zlib
from pathlib import Path

SUFFIXES = {".c", ".h", ".pyx", ".pxi"}


def source_files(folder: Path) -> list[Path]:
    """The files that the extension is compiled from, headers included, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)


def source_hash(folder: Path) -> str:
    """Eight hexadecimal digits that change with any of those files."""
    checksum = 0
    for path in source_files(folder):
        name = path.relative_to(folder).as_posix()
        checksum = zlib.crc32(name.encode() + path.read_bytes().replace(b"\r\n", b"\n"), checksum)
    return f"{checksum:08x}"


def check_fresh(compiled_from: str) -> None:
    """Raises ImportError where csrc/ stands beside the package, as in a checkout, but is not what was compiled."""
    folder = Path(__file__).parent.parent / "csrc"
    if (folder / "kernels.pyx").exists() and source_hash(folder) != compiled_from:
        raise ImportError(
            "llmtrace's compiled kernels are not the ones of csrc/: compile them again with"
            " `python -m pip install -e .` in the folder of setup.py"
        )
