"""A frozen dataclass of ours is one of Python's, in all that can be seen of it."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from inspect import signature

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.frozen import frozen


def of(decorator):
    """The same two classes, by either decorator."""

    @decorator
    class Base:
        first: int
        second: tuple = ()

    @decorator
    class Thing(Base):
        named: dict = field(default_factory=dict, compare=False)
        hidden: str = field(default="", repr=False)
        made: int = field(init=False, default=0)

        def __post_init__(self):
            object.__setattr__(self, "made", 2)

    return Base, Thing


BASE, THING = of(frozen)
THEIRS_BASE, THEIRS = of(dataclass(frozen=True))


@frozen
class NamedAsInItsConstructor:
    keep: int
    usual: int
    makers: int = 3
    MISSING: list = field(default_factory=list)
    fields: int = 4
    object: int = 5


def test_a_field_may_have_any_name():
    made = NamedAsInItsConstructor(1, 2)
    assert list(asdict(made).values()) == [1, 2, 3, [], 4, 5]


@frozen
class Kept:
    first: int


VALUES = st.fixed_dictionaries(
    {"first": st.integers(0, 2)},
    optional={
        "second": st.sampled_from([(), (1,)]),
        "named": st.dictionaries(st.just("a"), st.integers(0, 1)),
        "hidden": st.sampled_from(["", "x"]),
    },
)


@given(VALUES, VALUES)
def test_it_is_a_frozen_dataclass(one, two):
    a, b, c, d = THING(**one), THING(**two), THEIRS(**one), THEIRS(**two)
    assert (a == b) == (c == d)
    assert (hash(a) == hash(b)) >= (a == b)
    assert repr(a) == repr(c)
    assert asdict(a) == asdict(c)
    assert repr(replace(a, first=3)) == repr(replace(c, first=3))
    assert [f.name for f in fields(a)] == [f.name for f in fields(c)]
    assert a != BASE(a.first, a.second)
    assert a != c


@pytest.mark.parametrize("name", ["first", "named", "made", "other"])
@pytest.mark.parametrize("made", [THING(1), THEIRS(1)])
def test_nothing_of_it_changes(made, name):
    before = dict(vars(made))
    with pytest.raises(FrozenInstanceError):
        setattr(made, name, 5)
    with pytest.raises(FrozenInstanceError):
        delattr(made, name)
    assert vars(made) == before


def test_copies_are_equal():
    kept = Kept(5)
    for again in (pickle.loads(pickle.dumps(kept)), copy.copy(kept), copy.deepcopy(kept)):
        assert again == kept
        assert again is not kept
        with pytest.raises(FrozenInstanceError):
            again.first = 6


def test_one_that_holds_itself_is_written():
    holder = BASE(1, ([],))
    holder.second[0].append(holder)
    assert "..." in repr(holder)


def test_methods_of_its_own_stay():
    @frozen
    class Own:
        value: int

        def __repr__(self):
            return "own"

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 7

    assert repr(Own(1)) == "own"
    assert Own(1) == Own(2)
    assert hash(Own(1)) == 7


def test_fields_that_are_made_and_not_given():
    @frozen
    class Named:
        keep: int
        names: dict = field(default_factory=dict, init=False)

    made = Named(1)
    assert (made.keep, made.names) == (1, {})
    assert Named(1).names is not made.names
    assert list(signature(Named).parameters) == ["keep"]
    with pytest.raises(TypeError, match=r"Named.__init__\(\) missing 1 required positional argument: 'keep'"):
        Named()
