"""`llmtrace` as it is typed, run in this process."""

from click.testing import CliRunner

from llmtrace.cli import main


def run(*arguments, code=0, **options):
    """What a command does; AssertionError unless it ends with this exit code, or any where that is None."""
    result = CliRunner().invoke(main, list(arguments), **options)
    assert code is None or result.exit_code == code, (arguments, result.output, result.exc_info)
    return result


def said(*arguments, code=0, **options):
    """What it prints: without what goes to stderr, where it succeeds."""
    result = run(*arguments, code=code, **options)
    return result.output if code else result.stdout
