# How many threads the environment asks for.

def threads_from_environment():
    """LLMTRACE_NUM_THREADS, or 0 where it is unset or empty."""
    text = os.environ.get("LLMTRACE_NUM_THREADS", "")
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text) <= 4096):
        raise ImportError(f"LLMTRACE_NUM_THREADS={text!r} is not a number of threads: give a whole number from 1 to 4096, or unset it")
    return int(text or 0)


if threads_from_environment():
    set_threads(threads_from_environment())
