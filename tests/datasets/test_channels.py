"""Names of channels, `kind[item]`, and rows of channels."""

import numpy as np
import pytest
from hemline.datasets.entries.channels import ChannelName, Channels, items_of, kinds_of, names_of, rows_of
from hypothesis import given
from hypothesis import strategies as st

KINDS = st.text(min_size=1).filter(lambda kind: "[" not in kind)
ITEMS = st.text(min_size=1)


@given(KINDS, ITEMS)
def test_the_name_of_a_channel_of_an_item_is_read_back(kind, item):
    assert ChannelName.parse(str(ChannelName(kind, item))) == ChannelName(kind, item)


@given(st.text())
def test_every_text_is_a_name_that_is_written_as_it_was(text):
    assert str(ChannelName.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "kind", "item"),
    [
        ("price[coat [red]]", "price", "coat [red]"),
        ("price[coat@12]", "price", "coat@12"),
        ("price[a]b]", "price", "a]b"),
        ("holiday", "holiday", None),
        ("temperature [C]", "temperature ", "C"),
        ("open[", "open[", None),
        ("x[]", "x[]", None),
        ("[a]", "[a]", None),
        ("a[b] c", "a[b] c", None),
    ],
)
def test_the_first_bracket_ends_the_kind_and_the_last_one_the_item(text, kind, item):
    assert ChannelName.parse(text) == ChannelName(kind, item)


@pytest.mark.parametrize(("kind", "item"), [("price[a]", None), ("pr[ice", "a"), ("", "a"), ("price", "")])
def test_a_name_that_would_be_read_as_another_one_is_refused(kind, item):
    with pytest.raises(ValueError, match="kind: expected a kind of channel with no"):
        ChannelName(kind, item)


def test_a_shared_name_is_given_to_an_item_and_an_owned_one_stays():
    assert str(ChannelName.parse("price").owned_by("coat")) == "price[coat]"
    assert str(ChannelName.parse("price[hat]").owned_by("coat")) == "price[hat]"


def test_names_of_a_kind_are_found_in_the_order_of_the_items():
    names = ("promo[b]", "price[b]", "holiday", "price[a]")
    assert names_of("price", ["a", "b [c]"]) == ("price[a]", "price[b [c]]")
    assert kinds_of(names) == ["promo", "price", "holiday", "price"]
    assert items_of(names) == ["b", "b", None, "a"]
    assert rows_of(names, "price", ["a", "b"]) == [3, 1]
    assert rows_of(names, "promo", ["a", "b"]) is None
    assert rows_of(names, "price", []) is None


def test_channels_are_cut_by_step_and_by_row():
    channels = Channels(np.arange(12.0).reshape(3, 4), ("price[a]", "price[b]", "holiday"))
    assert (len(channels), channels.length) == (3, 4)
    np.testing.assert_array_equal(channels.steps(1, 3).values, [[1, 2], [5, 6], [9, 10]])
    assert channels.rows([2, 0]).names == ("holiday", "price[a]")
    np.testing.assert_array_equal(channels.rows([2, 0]).values[:, 0], [8, 0])
    assert channels.without({"b", "holiday"}).names == ("price[a]", "holiday")


def test_channels_without_names_stay_all_and_none_are_false():
    unnamed = Channels([[1, 2], [3, 4]])
    assert unnamed.without({"a"}) is unnamed
    assert unnamed.rows([1]).names == ()
    assert unnamed
    assert not Channels()
    assert Channels([1.0, 2.0]).values.shape == (1, 2)


def test_the_values_of_channels_cannot_be_written_to():
    given = np.ones((1, 2))
    channels = Channels(given)
    with pytest.raises(ValueError, match="read-only"):
        channels.values[0, 0] = 5
    given[0, 0] = 2  # the caller's own array stays writable
