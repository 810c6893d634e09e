from pathlib import Path

import pytest
from examples import REAL, SIMULATED

from shared.config import load_settings
from shared.domain.catalogue import Catalogue, Serving, make_catalogue, vendor_of
from shared.domain.options import Integer
from shared.domain.registry import TASK_TYPES
from shared.domain.routes import Route
from shared.domain.task_type import TaskType
from shared.errors import ConfigurationError

NAMES = ["summarization", "sentiment", "translation", "chat", "image_classification", "image_captioning"]

each_task = pytest.mark.parametrize("task_type", TASK_TYPES, ids=lambda task_type: task_type.name)


def catalogue(**environment: str) -> Catalogue:
    return make_catalogue(load_settings(environment))


def options_of(name: str) -> dict[str, object]:
    offer = catalogue()[name]
    return {option.name: option.default for option in offer.task_type.options}


def test_every_task_type_is_offered_in_its_place() -> None:
    assert list(catalogue()) == [task_type.name for task_type in TASK_TYPES]


def test_the_first_task_types_stay_where_clients_know_them() -> None:
    assert list(catalogue())[: len(NAMES)] == NAMES


def test_another_name_is_no_task_type() -> None:
    assert "poetry" not in catalogue()


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("summarization", {"max_words": 120}),
        ("sentiment", {}),
        ("translation", {"target_language": None, "source_language": None}),
        ("chat", {"system": None, "history": None, "temperature": 0.7, "max_tokens": 1024}),
        ("image_classification", {"top_k": 5}),
        ("image_captioning", {"max_words": 40}),
    ],
)
def test_a_task_has_its_options_and_defaults(name: str, defaults: dict[str, object]) -> None:
    assert options_of(name) == defaults


@pytest.mark.parametrize(
    ("name", "option", "bounds"),
    [
        ("summarization", "max_words", Integer(10, 1000)),
        ("chat", "max_tokens", Integer(1, 8192)),
        ("image_classification", "top_k", Integer(1, 100)),
        ("image_captioning", "max_words", Integer(5, 200)),
    ],
)
def test_a_whole_number_option_has_its_bounds(name: str, option: str, bounds: Integer) -> None:
    kinds = {each.name: each.kind for each in catalogue()[name].task_type.options}
    assert kinds[option] == bounds


def test_only_the_target_language_is_required() -> None:
    required = [option.name for task_type in TASK_TYPES for option in task_type.options if option.required]
    assert required == ["target_language"]


@each_task
def test_a_default_is_its_own_canonical_form(task_type: TaskType) -> None:
    for option in task_type.options:
        if option.default is not None:
            canonical = option.kind.check(option.default, 1000)
            assert (canonical, type(canonical)) == (option.default, type(option.default))


@each_task
def test_unknown_options_are_refused_by_the_schema_too(task_type: TaskType) -> None:
    assert task_type.options_schema()["additionalProperties"] is False


def answering(**environment: str) -> tuple[str | None, str | None]:
    """Return who answers texts and who pictures; None where nobody is configured."""
    found = catalogue(**environment)
    servings = [found[name].serving(found[name].model) for name in ("chat", "image_captioning")]
    text, image = (serving.provider if serving.configured else None for serving in servings)
    return text, image


def test_without_keys_and_simulator_no_provider_is_configured() -> None:
    assert answering() == (None, None)


def test_with_keys_the_real_providers_answer_even_beside_a_simulator() -> None:
    assert answering(**REAL, **SIMULATED) == ("groq", "huggingface")


def test_a_key_with_a_base_url_of_its_own_is_still_the_real_provider() -> None:
    assert answering(**REAL, GROQ_BASE_URL="http://127.0.0.1:9")[0] == "groq"


def test_without_keys_the_simulator_answers() -> None:
    assert answering(**SIMULATED) == ("simulated", "simulated")


def test_one_key_makes_one_provider_real() -> None:
    assert answering(**SIMULATED, HF_API_KEY="secret") == ("simulated", "huggingface")


def test_a_named_provider_wins_over_a_key() -> None:
    assert answering(**REAL, **SIMULATED, TEXT_PROVIDER="simulated") == ("simulated", "huggingface")


def test_a_real_provider_may_be_named_where_its_key_is_not() -> None:
    assert answering(**SIMULATED, IMAGE_PROVIDER="huggingface") == ("simulated", "huggingface")


def test_without_any_provider_the_real_ones_stored_answers_are_looked_for() -> None:
    serving = catalogue()["chat"].serving("openai/gpt-oss-20b")
    assert (serving.provider, serving.configured) == ("groq", False)


ELSEWHERE = {"CHAT_ALLOWED_MODELS": "openai/gpt-oss-120b, huggingface:zai-org/GLM-4.5V"}


def test_several_providers_may_serve_one_task_type() -> None:
    offer = catalogue(**REAL, **ELSEWHERE)["chat"]
    assert {model: offer.serving(model).provider for model in offer.allowed_models} == {
        "openai/gpt-oss-20b": "groq",
        "openai/gpt-oss-120b": "groq",
        "zai-org/GLM-4.5V": "huggingface",
    }


def test_each_provider_is_real_or_simulated_by_its_own_key() -> None:
    offer = catalogue(**SIMULATED, HF_API_KEY="secret", **ELSEWHERE)["chat"]
    assert [offer.serving(model).provider for model in offer.allowed_models] == [
        "simulated",
        "simulated",
        "huggingface",
    ]


def test_a_provider_that_is_named_for_one_queue_is_real_for_the_other() -> None:
    named = {"TEXT_PROVIDER": "groq", "IMAGE_PROVIDER": "huggingface"}
    offer = catalogue(**SIMULATED, **named, **ELSEWHERE)["chat"]
    assert {offer.serving(model).provider for model in offer.allowed_models} == {"groq", "huggingface"}


def test_a_queue_that_is_to_be_simulated_is_so_at_every_provider() -> None:
    offer = catalogue(**REAL, **SIMULATED, **ELSEWHERE, TEXT_PROVIDER="simulated")["chat"]
    assert {offer.serving(model).provider for model in offer.allowed_models} == {"simulated"}


def test_the_simulator_stands_for_the_provider_of_the_model() -> None:
    found = catalogue(**SIMULATED, **ELSEWHERE)
    models = ("openai/gpt-oss-20b", "zai-org/GLM-4.5V")
    assert [vendor_of(found, "chat", Route("simulated", model)) for model in models] == ["groq", "huggingface"]


def of_a_file(folder: Path, **environment: str) -> Catalogue:
    path = folder / "providers.toml"
    path.write_text('[providers.mine]\nbase_url = "http://h/v1"\n')
    return catalogue(PROVIDERS_FILE=str(path), **environment)


def test_a_provider_of_the_file_is_always_real(tmp_path: Path) -> None:
    found = of_a_file(tmp_path, **SIMULATED, TEXT_PROVIDER="simulated", CHAT_MODEL="mine:some/model:8b")["chat"]
    assert (found.model, found.serving("some/model:8b")) == ("some/model:8b", Serving("mine", "mine", configured=True))


def test_models_of_a_provider_of_the_file_may_be_named_and_stand_in(tmp_path: Path) -> None:
    named = {"CHAT_MODEL": "mine:a", "CHAT_ALLOWED_MODELS": "mine:b", "CHAT_FALLBACK_MODEL": "mine:c"}
    offer = of_a_file(tmp_path, **named)["chat"]
    assert (offer.allowed_models, offer.fallback_routes) == (("a", "b"), (Route("mine", "c"),))
    assert {offer.serving(model).provider for model in offer.allowed_models} == {"mine"}


def test_a_provider_of_the_file_classifies_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^image_classification: m can't be asked of mine"):
        of_a_file(tmp_path, IMAGE_CLASSIFICATION_MODEL="mine:m")


def test_a_colon_that_follows_no_provider_is_part_of_the_models_name() -> None:
    assert catalogue(CHAT_MODEL="my/model:fast")["chat"].model == "my/model:fast"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"IMAGE_CLASSIFICATION_MODEL": "groq:a/b"}, "image_classification: a/b can't be asked of groq"),
        ({"CHAT_ALLOWED_MODELS": "a/b,huggingface:a/b"}, "CHAT_ALLOWED_MODELS: a/b is named with two providers"),
    ],
)
def test_models_that_cannot_be_served_so_stop_the_start(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        catalogue(**given)


def test_a_model_setting_replaces_the_default_model() -> None:
    assert catalogue(CHAT_MODEL="my/model")["chat"].model == "my/model"


def test_the_default_model_may_always_be_named() -> None:
    offer = catalogue(CHAT_MODEL="my/model", CHAT_ALLOWED_MODELS="other/model")["chat"]
    assert offer.allowed_models == ("my/model", "other/model")


def test_a_model_is_listed_once() -> None:
    models = catalogue()["chat"].allowed_models
    assert len(set(models)) == len(models)


def test_the_setting_of_one_task_leaves_the_others_alone() -> None:
    assert catalogue(CHAT_MODEL="my/model")["sentiment"].model == catalogue()["sentiment"].model


def test_there_is_a_fallback_model_only_where_one_is_set() -> None:
    found = catalogue(CHAT_FALLBACK_MODEL="other/model")
    assert (found["chat"].fallback_routes, found["sentiment"].fallback_routes) == ((Route("groq", "other/model"),), ())


def test_a_fallback_may_be_of_another_provider() -> None:
    found = catalogue(**REAL, CHAT_FALLBACK_MODEL="huggingface:a/b")["chat"]
    assert found.fallback_routes == (Route("huggingface", "a/b"),)


def test_the_simulator_stands_for_the_provider_of_a_fallback() -> None:
    found = catalogue(**SIMULATED, CHAT_FALLBACK_MODEL="huggingface:a/b")
    (route,) = found["chat"].fallback_routes
    assert (route.provider, vendor_of(found, "chat", route)) == ("simulated", "huggingface")


def test_a_fallback_must_be_able_to_do_the_work() -> None:
    with pytest.raises(ConfigurationError, match=r"^image_classification: m can't be asked of groq"):
        catalogue(IMAGE_CLASSIFICATION_FALLBACK_MODEL="groq:m")


def test_a_model_is_no_fallback_for_itself() -> None:
    assert catalogue(CHAT_MODEL="my/model", CHAT_FALLBACK_MODEL="my/model")["chat"].fallbacks == ()
