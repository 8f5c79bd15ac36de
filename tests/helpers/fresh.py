"""Where random examples begin: at the same place in every run, or where LLMTRACE_TEST_SEED says, to see further."""

import os

SEED = int(os.environ.get("LLMTRACE_TEST_SEED") or 0)
