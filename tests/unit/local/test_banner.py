import pytest

from local.banner import banner


@pytest.mark.parametrize(
    ("simulated", "said"),
    [
        (["text"], "The text answers are SIMULATED; set GROQ_API_KEY in .env"),
        (["image"], "The image answers are SIMULATED; set HF_API_KEY in .env"),
        (["text", "image"], "The text and image answers are SIMULATED; set GROQ_API_KEY and HF_API_KEY in .env"),
    ],
)
def test_the_banner_names_the_keys_that_make_answers_real(simulated: list[str], said: str) -> None:
    assert said in banner("http://api", "http://flower", "http://simulator", simulated)


def test_the_banner_says_nothing_of_keys_where_all_is_real() -> None:
    assert "SIMULATED" not in banner("http://api", "http://flower", None, [])


def test_with_keys_the_example_makes_one_and_sends_it() -> None:
    text = banner("http://api", "http://flower", None, [], asks_for_keys=True)
    assert "askonce keys create" in text
    assert "X-API-Key: $KEY" in text


def test_the_banner_names_the_page_first() -> None:
    addresses = [
        line.split()[1] for line in banner("http://api", "http://flower", None, []).splitlines() if "://" in line
    ]
    assert addresses[:3] == ["http://api/", "http://api/api/v1", "http://api/docs"]
