"""Vectors and spaces: what is near depends on what the numbers are for, and a direction may mean something."""

import pytest

from llmtrace.lessons import load


def test_what_is_near_to_the_cat_depends_on_the_question():
    lesson = load("vectors-and-spaces")
    assert (lesson.nearest_family, lesson.nearest_daily) == ("lion", "dog")
    assert set(lesson.daily) - set(lesson.animals) == {"tiger", "coyote"}


@pytest.mark.parametrize(("wolf", "found"), [((-0.8, -0.4), "wolf"), ((9.0, 9.0), "lion")])
def test_the_step_into_the_wild_leads_from_the_dog_to_what_is_nearest(wolf, found):
    lesson = load("vectors-and-spaces", wolf=wolf)
    assert lesson.added[-1][1:] == pytest.approx((-1.0, -0.4))
    assert lesson.added_nearest == found
