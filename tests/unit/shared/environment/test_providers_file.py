from decimal import Decimal
from pathlib import Path
from string import ascii_lowercase

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.config import Settings, load_settings
from shared.domain.answer import Usage
from shared.domain.prices import COMPONENTS, Prices
from shared.domain.task_type import Model
from shared.environment.providers_file import KEYS
from shared.errors import ConfigurationError
from tests.checkout import CHECKOUT

VLLM = '[providers.vllm]\nbase_url = "http://localhost:8000/v1"\n'


def load(folder: Path, text: str, **environment: str) -> Settings:
    path = folder / "providers.toml"
    path.write_text(text)
    return load_settings({"PROVIDERS_FILE": str(path), **environment})


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text)
    return caught.value.detail.replace(str(folder / "providers.toml"), "F")


def test_a_provider_has_all_that_the_file_says(tmp_path: Path) -> None:
    text = (
        '[providers.my-llm_2]\nbase_url = "https://llm.example/v1/"\ntitle = "Our models"\napi_key = "sk-1"\n'
        'requests_per_minute = 90\ntimeout_seconds = 2.5\nqueue = "image"\n[providers.my-llm_2.models."a/b:c"]\n'
    )
    found = load(tmp_path, text).providers["my-llm_2"]
    assert (found.base_url, found.title, found.api_key) == ("https://llm.example/v1", "Our models", "sk-1")
    assert (found.requests_per_minute, found.timeout_seconds, found.queue) == (90, 2.5, "image")
    assert (found.models, found.kind, found.is_built_in) == (("a/b:c",), "openai", False)


def test_only_the_address_is_required(tmp_path: Path) -> None:
    found = load(tmp_path, VLLM, PROVIDER_TIMEOUT_SECONDS="7").providers["vllm"]
    assert (found.title, found.api_key, found.requests_per_minute, found.queue) == ("vllm", None, 0, "text")
    assert (found.timeout_seconds, found.models) == (7, ())


def test_a_model_that_embeds_is_no_chat_model(tmp_path: Path) -> None:
    found = load(tmp_path, VLLM + "[providers.vllm.models.e]\nembeds = true\nprompt = 2\n[providers.vllm.models.c]\n")
    assert (found.providers["vllm"].models, found.providers["vllm"].embedding_models) == (("c",), ("e",))
    assert Prices(found.model_prices).cost("vllm", "e", Usage(1_000_000, 0)) == Decimal(2)
    assert "true or false" in refused(tmp_path, VLLM + "[providers.vllm.models.e]\nembeds = 1\n")


def test_the_built_in_providers_stay_and_may_get_more(tmp_path: Path) -> None:
    text = (
        '[providers.groq]\nrequests_per_minute = 5\ntimeout_seconds = 9\n[providers.groq.models."new/one"]\ncall = 1\n'
    )
    found = load(tmp_path, text, GROQ_API_KEY="gsk_1")
    assert list(found.providers) == ["groq", "huggingface"]
    groq = found.providers["groq"]
    assert (groq.api_key, groq.requests_per_minute, groq.timeout_seconds, groq.kind) == ("gsk_1", 5, 9, "groq")
    assert {"openai/gpt-oss-20b", "new/one"} < set(groq.models)
    assert found.providers["huggingface"].timeout_seconds == 60


def test_a_setting_wins_over_the_file(tmp_path: Path) -> None:
    found = load(tmp_path, "[providers.groq]\nrequests_per_minute = 5\n", GROQ_REQUESTS_PER_MINUTE="8")
    assert found.providers["groq"].requests_per_minute == 8


def test_the_file_of_a_key_is_found_beside_the_file(tmp_path: Path) -> None:
    found = load(tmp_path, VLLM + 'api_key_file = "keys/vllm"\n').providers["vllm"]
    assert found.api_key_file == tmp_path / "keys" / "vllm"


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    assert "hunter2" not in repr(load(tmp_path, VLLM + 'api_key = "hunter2"\n'))


def test_an_alias_may_name_several_models_in_order(tmp_path: Path) -> None:
    text = f'{VLLM}[providers.vllm.models.m]\n[aliases]\none = "vllm/m"\ntwo = ["groq/openai/gpt-oss-20b", "vllm/m"]\n'
    groq, vllm = Model("groq", "openai/gpt-oss-20b"), Model("vllm", "m")
    assert load(tmp_path, text).aliases == {"one": (vllm,), "two": (groq, vllm)}


PRICED = VLLM + '[providers.vllm.models."m"]\nprompt = 0.1\ncompletion = 3\ncached = 0.01\ncall = 0.000001\n'


def test_prices_are_exact_decimals(tmp_path: Path) -> None:
    usage = Usage(prompt_tokens=3, completion_tokens=7, total_tokens=10, cached_tokens=2)
    cost = Prices(load(tmp_path, PRICED).model_prices).cost("vllm", "m", usage)
    assert cost == (1 * Decimal("0.1") + 2 * Decimal("0.01") + 7 * 3) / 1_000_000 + Decimal("0.000001")


def test_a_price_of_the_file_counts_for_its_provider_only(tmp_path: Path) -> None:
    prices = Prices(load(tmp_path, PRICED).model_prices)
    assert [prices.cost(name, "m", Usage(0, 0, 0, 0)) for name in ("groq", "simulated")] == [None, None]


def test_a_model_without_prices_costs_what_nobody_knows(tmp_path: Path) -> None:
    prices = Prices(load(tmp_path, VLLM + "[providers.vllm.models.m]\n").model_prices)
    assert prices.cost("vllm", "m", Usage(1, 1, 2, 0)) is None


@pytest.mark.parametrize("model", ["m", "vllm:m"])
def test_model_prices_win_over_the_file(tmp_path: Path, model: str) -> None:
    prices = Prices(load(tmp_path, PRICED, MODEL_PRICES=f'{{"{model}": {{"call": 5}}}}').model_prices)
    assert prices.cost("vllm", "m", Usage(1, 1, 2, 0)) == 5


def test_the_file_replaces_a_built_in_price(tmp_path: Path) -> None:
    text = '[providers.groq.models."openai/gpt-oss-20b"]\ncall = 2\n'
    assert Prices(load(tmp_path, text).model_prices).cost("groq", "openai/gpt-oss-20b", Usage(9, 9, 18, 0)) == 2


def test_the_example_of_the_documentation_is_right(tmp_path: Path) -> None:
    section = (CHECKOUT / "docs/operations.md").read_text().partition("## More providers")[2]
    found = load(tmp_path, section.partition("```toml")[2].partition("```")[0])
    assert list(found.providers) == ["groq", "huggingface", "openai", "vllm"]
    assert found.aliases["best"] == (Model("openai", "gpt-5-mini"), Model("groq", "openai/gpt-oss-120b"))
    assert [key for key in (*KEYS, *COMPONENTS) if f"{key} =" not in section and f".{key}." not in section] == []


MISTAKES = [
    ("a = 1", "line 1: the file can't have 'a'; it may have providers, aliases"),
    ("provider = 1", "line 1: the file can't have 'provider'; did you mean providers?"),
    ("providers = 1", "line 1: providers must be a table"),
    ("[providers]\nx = 1", "line 2: x must be a table"),
    ("\n[providers.x]\n", "line 2: [providers.x] has no base_url; set it to the address that comes before"),
    ("[providers.x.models.m]\ncall = 1", "line 1: [providers.x] has no base_url"),
    ('[providers.X]\nbase_url = "http://h"', "line 1: 'X' can't be a provider's name"),
    ('[providers.simulated]\nbase_url = "http://h"', "line 1: 'simulated' can't be a provider's name"),
    ('[providers.x]\nbase_url = "h:1"', "line 2: base_url must be a URL that starts with http:// or https://"),
    ('[providers.x]\nbase_url = "http://h/?a"', "line 2: base_url must have neither ? nor #"),
    ('[providers.x]\nbase_url = "http://u:p@h"', "line 2: base_url must have no name and no password"),
    ("[providers.x]\nbase_url = 5", "line 2: base_url must be a text"),
    ('[providers.x]\nbase_url = ""', "line 2: base_url must be a text on one line, and not empty"),
    (VLLM + 'api_keys = "k"', "line 3: [providers.vllm] can't have 'api_keys'; did you mean api_key?"),
    (VLLM + 'api_key = "k\u00e9y"', "line 3: api_key holds a character that no HTTP header can carry"),
    (VLLM + 'api_key = "k"\napi_key_file = "f"', "line 4: api_key and api_key_file exclude each other"),
    (VLLM + "requests_per_minute = -1", "line 3: requests_per_minute must be a whole number from 0 to 1000000"),
    (VLLM + "requests_per_minute = true", "line 3: requests_per_minute must be a whole number"),
    (VLLM + "timeout_seconds = 0", "line 3: timeout_seconds must be a number from 0.1 to 3600"),
    (VLLM + "timeout_seconds = nan", "line 3: timeout_seconds must be a number"),
    (VLLM + 'queue = "texts"', "line 3: queue must be one of text, image, is 'texts'"),
    (VLLM + "models = []", "line 3: models must be a table"),
    (VLLM + "[providers.vllm.models]\nm = 1", "line 4: m must be a table"),
    (VLLM + '[providers.vllm.models." "]', "line 3: a model must have a name"),
    (VLLM + "[providers.vllm.models.m]\n\nprice = 1", "line 5: [providers.vllm.models.m] can't have 'price'; it may"),
    (VLLM + "[providers.vllm.models.m]\nprompt = 1\ncompletion = -1", "line 5: completion must be a number from 0 to"),
    (VLLM + "[providers.vllm.models.m]\nprompt = inf", "line 4: prompt must be a number from 0 to 1000000"),
    (VLLM + '[providers.vllm.models.m]\nprompt = "1"', "line 4: prompt must be a number"),
    (VLLM + "[providers.vllm.models.m]\ncall = 1\ncached = 1", "line 5: 'm' must have a price for prompt, of which"),
    (
        '[providers.groq]\n\nbase_url = "http://h"',
        "line 3: [providers.groq] is built in and can't have base_url; set GROQ_BASE_URL",
    ),
    (
        '[providers.huggingface]\napi_key = "k"',
        "line 2: [providers.huggingface] is built in and can't have api_key; set HF_API_KEY",
    ),
    (
        '[providers.groq]\napi_key_file = "k"',
        "line 2: [providers.groq] is built in and can't have api_key_file; set GROQ_API_KEY",
    ),
    ('[providers.groq]\ntitle = "k"', "line 2: [providers.groq] is built in and can't have title; remove it"),
    ('[providers.groq]\nqueue = "image"', "line 2: [providers.groq] is built in and can't have queue; remove it"),
    ("[aliases]\nx = 1", "line 2: x must be a text, or a list of texts"),
    ("[aliases]\nx = []", "line 2: x must be a text, or a list of texts"),
    ('[aliases]\nx = ["a/b", 1]', "line 2: x must be a text, or a list of texts"),
    ('[aliases]\n"a/b" = "groq/m"', "line 2: 'a/b' can't be an alias: it must be printable, without /, and not empty"),
    ('[aliases]\n"" = "groq/m"', "line 2: '' can't be an alias"),
    ('[aliases]\nx = "gpt"', "line 2: x: 'gpt' must be provider/model, of one of the providers groq, huggingface"),
    ('[aliases]\nx = "openai/gpt"', "line 2: x: 'openai/gpt' must be provider/model, of one of the providers groq, "),
    (
        VLLM + '[aliases]\nx = [\n"vllm/m"\n]',
        "line 4: x: vllm has no model 'm'; add [providers.vllm.models.\"m\"], or name",
    ),
    ('[aliases]\nx = ["groq/openai/gpt-oss-20b", "groq/openai/gpt-oss-20b"]', "line 2: x names one model twice"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert refused(tmp_path, text).startswith(f"PROVIDERS_FILE: F, {said}")


def test_no_complaint_quotes_a_key(tmp_path: Path) -> None:
    said = [
        refused(tmp_path, VLLM + line)
        for line in ('api_key = "hunter2\u00e9"', 'api_key = "hunter2', "api_key = hunter2")
    ]
    assert not any("hunter2" in each for each in said)


NAMES = st.text(ascii_lowercase + "/:.-0", min_size=1, max_size=8)
VALUES = st.one_of(
    st.booleans(), st.integers(), st.floats(), NAMES, st.lists(NAMES, max_size=2), st.dictionaries(NAMES, NAMES)
)
OWN_KEYS = st.one_of(st.sampled_from(["base_url", "api_key", "models", "queue", "timeout_seconds", "title"]), NAMES)


def written(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f'"{key}" = {written(each)}' for key, each in value.items()) + "}"
        case list():
            return f"[{', '.join(map(written, value))}]"
        case str():
            return f'"{value}"'
    return str(value)


@given(
    provider=st.dictionaries(OWN_KEYS, VALUES, max_size=4),
    aliases=st.dictionaries(NAMES, VALUES, max_size=3),
    name=NAMES,
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_values_are_taken_or_refused_by_line(
    tmp_path: Path, provider: dict[str, object], aliases: dict[str, object], name: str
) -> None:
    lines = [f'[providers."{name}"]', *(f'"{key}" = {written(value)}' for key, value in provider.items())]
    lines += ["[aliases]", *(f'"{key}" = {written(value)}' for key, value in aliases.items())]
    try:
        load(tmp_path, "\n".join(lines))
    except ConfigurationError as error:
        assert ", line " in error.detail  # noqa: PT017  it may be right, too
