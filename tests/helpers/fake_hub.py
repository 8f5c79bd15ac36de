"""A hub without a network: what llmtrace uses of `huggingface_hub`, over a folder, with the layout of its cache."""

import shutil
import sys
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType, SimpleNamespace

REVISION = "0123456789abcdef0123456789abcdef01234567"


class RepositoryNotFoundError(Exception):
    """As the library calls it."""


class GatedRepoError(RepositoryNotFoundError):
    """As the library calls it."""


class OfflineModeIsEnabled(ConnectionError):  # noqa: N818 - as the library calls it
    """As the library calls it."""


class TransportError(Exception):
    """As the library below that library calls it."""


class ConnectError(TransportError):
    """As the library below that library calls it."""


class FakeHub(ModuleType):
    """Stands for the library: `models` are folders by name; `fails` is raised instead of an answer."""

    def __init__(self, cache):
        super().__init__("huggingface_hub")
        self.cache, self.models, self.fails, self.fetched = cache, {}, None, []
        self.HfApi = lambda: SimpleNamespace(model_info=self.model_info)

    def asked(self, name):
        if self.fails is not None:
            raise self.fails
        if name not in self.models:
            raise RepositoryNotFoundError("404 Client Error. (Request ID: Root=1)\n\nRepository Not Found for url: …")
        return self.models[name]

    def model_info(self, name, files_metadata=False):
        sizes = ((path.name, path.stat().st_size if files_metadata else None) for path in self.asked(name).iterdir())
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=file, size=size) for file, size in sizes])

    def snapshot_download(self, name, allow_patterns, cache_dir):
        own = Path(cache_dir) / f"models--{name.replace('/', '--')}"
        folder = own / "snapshots" / REVISION
        folder.mkdir(parents=True, exist_ok=True)
        (own / "refs").mkdir(exist_ok=True)
        (own / "refs" / "main").write_text(REVISION)
        for path in self.asked(name).iterdir():
            if any(fnmatch(path.name, pattern) for pattern in allow_patterns):
                self.fetched.append(path.name)
                shutil.copy(path, folder)
        return str(folder)


def put(monkeypatch, cache):
    """The fake in place of the library, with its cache in a folder."""
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    hub = FakeHub(cache)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    return hub
