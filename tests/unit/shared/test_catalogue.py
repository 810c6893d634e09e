import pytest
from examples import REAL, SIMULATED

from shared.config import load_settings
from shared.domain.catalogue import Catalogue, make_catalogue
from shared.domain.options import Integer
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType

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
def test_pictures_go_to_hugging_face_and_text_to_groq(task_type: TaskType) -> None:
    assert task_type.provider == ("huggingface" if task_type.takes_picture else "groq")


@each_task
def test_unknown_options_are_refused_by_the_schema_too(task_type: TaskType) -> None:
    assert task_type.options_schema()["additionalProperties"] is False


def test_real_providers_answer_where_keys_are_set() -> None:
    assert {offer.provider for offer in catalogue(**REAL).values()} == {"groq", "huggingface"}


def test_the_simulator_answers_where_it_is_all_there_is() -> None:
    assert {offer.provider for offer in catalogue(**SIMULATED).values()} == {"simulated"}


def test_without_any_provider_the_real_ones_stored_answers_are_looked_for() -> None:
    offer = catalogue()["chat"]
    assert (offer.provider, offer.configured) == ("groq", False)


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
    assert (found["chat"].fallback_model, found["sentiment"].fallback_model) == ("other/model", None)


def test_a_model_is_no_fallback_for_itself() -> None:
    assert catalogue(CHAT_MODEL="my/model", CHAT_FALLBACK_MODEL="my/model")["chat"].fallback_model is None
