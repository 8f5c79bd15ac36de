"""`python -m llmtrace`: the same as the command `llmtrace`."""

from llmtrace.cli import main

if __name__ == "__main__":
    main()
