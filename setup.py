"""Builds the one extension module, `llmtrace._kernels`: csrc/inner.c once per instruction set, and the Cython code over it.

Everything else about the package is in pyproject.toml.
"""

import os
import platform
import runpy
import shlex
import sysconfig
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# setuptools does not see what a header includes, so all of csrc/ counts as a dependency of all of it.
CSRC = Path("csrc")
fingerprint = runpy.run_path("llmtrace/_sources.py")

# setuptools does not see what a header includes, so all of csrc/ counts as a dependency of all of it.
SOURCES = [str(path) for path in fingerprint["source_files"](CSRC)]
X86 = platform.machine().lower() in {"x86_64", "amd64"} and "universal2" not in sysconfig.get_platform()
CROSS = os.environ.get("LLMTRACE_BUILD_MACHINE", "")  # a cross-compilation names its target here
INSTRUCTION_SETS = {"baseline": []}
if X86 and not CROSS:
    INSTRUCTION_SETS["avx2"] = ["-mavx2"]
    INSTRUCTION_SETS["avx512"] = ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512"]

# One rounding per operation: never contract a·b + c. The two "no" flags drop errno and exception flags, which nothing
# here reads; they change no value and let loops with roots and selections be vectorised. CFLAGS come last and win.
FLAGS = ["-std=gnu11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden"]
FLAGS += shlex.split(os.environ.get("CFLAGS", ""))


class BuildKernels(build_ext):
    """Compiles csrc/inner.c once per instruction set and links the objects into the extension."""

    def build_extension(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name))
        if not self.force and target.exists() and all(target.stat().st_mtime > os.stat(f).st_mtime for f in ext.depends):
            return
        ext.extra_objects = []
        for name, flags in INSTRUCTION_SETS.items():
            ext.extra_objects += self.compiler.compile(
                ["csrc/inner.c"],
                output_dir=str(Path(self.build_temp) / name),
                macros=[*ext.define_macros, ("LLMTRACE_ISA", name)],
                include_dirs=["csrc"],
                extra_postargs=FLAGS + flags,
            )
        self.force = True
        super().build_extension(ext)


extension = Extension(
    "llmtrace._kernels",
    sources=["csrc/kernels.pyx", "csrc/pool.c"],
    include_dirs=["csrc", numpy.get_include()],
    define_macros=[
        ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
        ("LLMTRACE_SOURCE_HASH", f'"{fingerprint["source_hash"](CSRC)}"'),
        *([("LLMTRACE_X86", "1")] if X86 and not CROSS else []),
    ],
    depends=[*SOURCES, "setup.py"],
    extra_compile_args=FLAGS,
    extra_link_args=["-pthread"],
)

setup(ext_modules=cythonize([extension], build_dir="build/cython"), cmdclass={"build_ext": BuildKernels})
