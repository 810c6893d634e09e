import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.environment.reader import Environment
from shared.errors import ConfigurationError


def reading(value: str) -> Environment:
    return Environment({"NAME": value})


@pytest.mark.parametrize("variables", [{}, {"NAME": ""}, {"NAME": "  "}])
def test_an_empty_variable_is_unset(variables: dict[str, str]) -> None:
    assert Environment(variables).text("NAME") is None


def test_surrounding_space_does_not_count() -> None:
    assert reading(" value ").text("NAME") == "value"


def test_names_are_separated_by_commas() -> None:
    assert reading(" a, b ,,c,").names("NAME") == ("a", "b", "c")


def test_no_names_are_an_empty_list() -> None:
    assert Environment({}).names("NAME") == ()


def test_an_unset_number_has_its_default() -> None:
    assert Environment({}).integer("NAME", 5, 1, 10) == 5


@pytest.mark.parametrize("value", ["1", "10", " 7 "])
def test_a_whole_number_within_the_bounds_is_read(value: str) -> None:
    assert reading(value).integer("NAME", 5, 1, 10) == int(value)


@pytest.mark.parametrize("value", ["0", "11", "1.5", "five", "1e1", "--1"])
def test_a_wrong_whole_number_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^NAME: "):
        reading(value).integer("NAME", 5, 1, 10)


def test_a_negative_number_is_told_the_bounds() -> None:
    with pytest.raises(ConfigurationError, match=r"^NAME: must be from 1 to 10, is -1$"):
        reading("-1").integer("NAME", 5, 1, 10)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "0.4", "x"])
def test_a_wrong_number_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^NAME: "):
        reading(value).number("NAME", 5, 0.5, 10)


def test_a_number_may_have_a_fraction() -> None:
    assert reading("0.5").number("NAME", 5, 0.5, 10) == 0.5


def test_a_choice_is_one_of_the_choices() -> None:
    assert reading("json").choice("NAME", "text", ("text", "json")) == "json"


def test_another_choice_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"NAME: must be one of text, json, is 'xml'"):
        reading("xml").choice("NAME", "text", ("text", "json"))


def test_a_url_loses_its_trailing_slash() -> None:
    assert reading("https://example.com/").url("NAME") == "https://example.com"


def test_an_unset_url_is_none() -> None:
    assert Environment({}).url("NAME") is None


@pytest.mark.parametrize("value", ["example.com", "ftp://example.com", "http://[::1"])
def test_a_wrong_url_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^NAME: "):
        reading(value).url("NAME")


@pytest.mark.parametrize("value", ["http://name:hunter2@example.com", "https://hunter2@example.com"])
def test_a_url_that_is_shown_can_have_no_password(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^NAME: must have no name and no password$"):
        reading(value).url("NAME")


@pytest.mark.parametrize("value", ["redis://h:6379/0", "rediss://:secret@h/1"])
def test_a_redis_url_stays_as_it_is(value: str) -> None:
    assert reading(value).redis_url("NAME", "redis://default") == value


def test_a_url_of_another_kind_is_no_redis_url() -> None:
    with pytest.raises(ConfigurationError, match="redis:// or rediss://"):
        reading("http://h:6379").redis_url("NAME", "redis://default")


@given(st.text(max_size=20))
def test_any_value_is_either_read_or_refused_by_name(value: str) -> None:
    read = reading(value)
    for parse in (
        lambda: read.integer("NAME", 1, 0, 9),
        lambda: read.number("NAME", 1, 0, 9),
        lambda: read.url("NAME"),
    ):
        try:
            parse()
        except ConfigurationError as err:
            assert err.detail.startswith("NAME: ")  # noqa: PT017  being read is fine too
