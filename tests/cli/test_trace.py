"""`llmtrace trace`: what it keeps, and where."""

from helpers.cli_run import said


def test_all_numbers_in_a_file_of_a_folder(tmp_path):
    usual = said("trace", "The king", "--layer", "1")
    assert said("trace", "The king", "--layer", "1", "--scratch", str(tmp_path)) == usual
    assert not list(tmp_path.iterdir())
    wrong = said("trace", "The king", "--scratch", str(tmp_path), "--keep", "residual", code=2)
    assert "nothing is written there" in wrong
