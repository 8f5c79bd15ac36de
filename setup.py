"""Builds `llmtrace._kernels` (csrc/inner.c once per instruction set and type of numbers, and the Cython code over it) and
`llmtrace._bpe`.

Everything else about the package is in pyproject.toml.
"""

import os
import platform
import re
import runpy
import shlex
import sysconfig
import zlib
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE_HASH = runpy.run_path("llmtrace/_sources.py")["source_hash"](Path("csrc"))
X86 = platform.machine().lower() in {"x86_64", "amd64"} and "universal2" not in sysconfig.get_platform()
CROSS = os.environ.get("LLMTRACE_BUILD_MACHINE", "")  # a cross-compilation names its target here
MACHINES = ["any", "x86"] if X86 and not CROSS else ["any"]
# One line ISA(name, machine, "flags", …) for each.
ISA_LINES = re.findall(r'ISA\((\w+), (\w+), "(.*?)",', Path("csrc/isas.h").read_text(encoding="utf-8"))
INSTRUCTION_SETS = {name: flags.split() for name, machine, flags in ISA_LINES if machine in MACHINES}
REALS = (32, 64)  # bits of float and double

# Python asks for debug symbols, which are four fifths of a compiled file; CFLAGS=-g has them.
FLAGS = ["-std=gnu11", "-O3", "-g0", "-fvisibility=hidden", *shlex.split(os.environ.get("CFLAGS", ""))]
# What the same bits everywhere rest on: every operation is rounded once, to its own type, in the order in which it is written.
# These come behind all others, CFLAGS included, so that no distribution's habits undo them; csrc/promise.h tests it.
# The last two drop errno and exception flags, which nothing here reads: no value changes, and loops with roots become vectors.
PROMISE = ["-fno-fast-math", "-fno-unsafe-math-optimizations", "-fno-associative-math", "-fno-reciprocal-math"]
PROMISE += ["-fno-finite-math-only", "-fsigned-zeros", "-fno-single-precision-constant", "-fexcess-precision=standard"]
PROMISE += ["-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno"]
PROMISE += ["-mfpmath=sse"] if X86 and not CROSS else []
FLAGS += PROMISE
# Behind -Ofast or -ffast-math, which would link code that flushes subnormal numbers in the whole process.
LINK = ["-O3", *PROMISE]


# setuptools does not see what a header includes. So the extension carries a checksum of all its sources, of this file and of
# the flags, and is compiled again where that is not in it.
RECIPE = f"{SOURCE_HASH}-{zlib.crc32(Path(__file__).read_bytes() + repr((FLAGS, INSTRUCTION_SETS)).encode()):08x}"


class BuildKernels(build_ext):
    """Compiles csrc/inner.c once per instruction set and type of numbers and links the objects into the kernels."""

    def build_extension(self, ext: Extension) -> None:
        """Compiles `ext`, where it is older than what it is made of."""
        if ext.name == kernels.name:
            target = Path(self.get_ext_fullpath(ext.name))
            if target.exists() and RECIPE.encode() in target.read_bytes():
                return
            ext.extra_objects = [
                path for name in INSTRUCTION_SETS for bits in REALS for path in self.inner_objects(name, bits)
            ]
        forced, self.force = self.force, self.force or ext.name == kernels.name
        super().build_extension(ext)
        self.force = forced  # the other one is compiled where its own sources are newer

    def inner_objects(self, instruction_set: str, bits: int) -> list[str]:
        """The inner loops, compiled for one instruction set and one type of numbers."""
        return self.compiler.compile(
            ["csrc/inner.c"],
            output_dir=str(Path(self.build_temp) / f"{instruction_set}-{bits}"),
            macros=[*kernels.define_macros, ("LLMTRACE_ISA", instruction_set), ("LLMTRACE_REAL", str(bits))],
            include_dirs=["csrc"],
            extra_postargs=FLAGS + INSTRUCTION_SETS[instruction_set],
        )


kernels = Extension(
    "llmtrace._kernels",
    sources=["csrc/kernels.pyx", "csrc/pool.c"],
    include_dirs=["csrc", numpy.get_include()],
    define_macros=[
        ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
        ("LLMTRACE_SOURCE_HASH", f'"{SOURCE_HASH}"'),
        ("LLMTRACE_RECIPE", f'"{RECIPE}"'),
        *([("LLMTRACE_X86", "1")] if "x86" in MACHINES else []),
    ],
    extra_compile_args=FLAGS,
    extra_link_args=["-pthread", *LINK],
)
bpe = Extension(
    "llmtrace._bpe",
    sources=["csrc/bpe/bpe.pyx"],
    depends=["setup.py"],
    extra_compile_args=FLAGS,
    extra_link_args=LINK,
)

# What Cython has made of the same files, whenever they were written, serves again; of headers and C it copies nothing.
TRANSLATED = zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path("csrc").rglob("*.p[yx][xi]"))))

setup(
    ext_modules=cythonize([kernels, bpe], build_dir=f"build/cython-{TRANSLATED:08x}"),
    cmdclass={"build_ext": BuildKernels},
)
