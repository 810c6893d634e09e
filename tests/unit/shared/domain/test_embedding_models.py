from pathlib import Path

import pytest

from shared.config import load_settings
from shared.domain.embeddings import embedding_models
from shared.domain.offers import TASK_TYPE_NAMES, make_offers, of_tasks
from shared.errors import ConfigurationError

MINE = """
[providers.mine]
base_url = "http://127.0.0.1:9/v1"
queue = "image"
[providers.mine.models.e]
embeds = true
"""


def test_by_default_there_is_one_model() -> None:
    (name,) = embedding_models(load_settings({})).offers
    assert name == "huggingface/BAAI/bge-m3"


def test_its_jobs_are_for_the_workers_that_have_the_providers_key() -> None:
    models = embedding_models(load_settings({"HF_API_KEY": "hf_1"}))
    offer = models.find("BAAI/bge-m3")
    assert offer is not None
    assert (offer.task_type.queue, offer.serving(offer.model).provider) == ("image", "huggingface")


def test_settings_and_the_file_name_more(tmp_path: Path) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(MINE)
    settings = load_settings({"PROVIDERS_FILE": str(file), "EMBEDDING_MODELS": "mine:a/b, huggingface:c"})
    models = embedding_models(settings)
    assert list(models.offers) == ["mine/a/b", "huggingface/c", "mine/e"]
    assert {offer.task_type.queue for offer in models.offers.values()} == {"image"}


@pytest.mark.parametrize("wrong", ["bge-m3", "nobody:m", "huggingface:", "groq:m"])
def test_a_model_that_nobody_serves_stops_the_start(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=r"EMBEDDING_MODELS|embedding"):
        embedding_models(load_settings({"EMBEDDING_MODELS": wrong}))


def test_predict_does_not_serve_it() -> None:
    offers = make_offers(load_settings({}))
    assert offers.keys() == set(TASK_TYPE_NAMES)
    assert "embedding" not in of_tasks(offers)
