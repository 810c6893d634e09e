from pathlib import Path

from examples import REAL, SIMULATED

from shared.config import load_settings
from shared.domain.catalogue import Offer, make_catalogue
from shared.domain.completions import completion_models
from shared.domain.named_models import NamedModels
from shared.domain.routes import Route

FILE = """
[providers.mine]
base_url = "http://h/v1"
queue = "image"
[providers.mine.models.small]
[providers.mine.models."openai/gpt-oss-20b"]
[providers.groq.models.added]
[aliases]
one = "mine/small"
best = ["groq/openai/gpt-oss-20b", "mine/openai/gpt-oss-20b", "mine/small"]
small = "groq/added"
"""


def models(folder: Path, **environment: str) -> NamedModels:
    path = folder / "providers.toml"
    path.write_text(FILE)
    settings = load_settings({"PROVIDERS_FILE": str(path), **environment})
    return completion_models(make_catalogue(settings), settings)


def found(of: NamedModels, name: str) -> Offer:
    offer = of.find(name)
    assert offer is not None
    return offer


def who(offer: Offer) -> Route:
    return Route(offer.serving(offer.model).provider, offer.model)


def test_models_of_the_file_are_listed_after_those_of_the_tasks_and_before_aliases(tmp_path: Path) -> None:
    names = list(models(tmp_path).offers)
    assert (names[0], names[-3:]) == ("groq/openai/gpt-oss-20b", ["one", "best", "small"])
    assert {"groq/added", "mine/small", "mine/openai/gpt-oss-20b"} < set(names)


def test_a_model_alone_means_the_first_provider_that_has_it(tmp_path: Path) -> None:
    of = models(tmp_path, **REAL)
    assert who(found(of, "openai/gpt-oss-20b")) == Route("groq", "openai/gpt-oss-20b")
    assert who(found(of, "mine/openai/gpt-oss-20b")) == Route("mine", "openai/gpt-oss-20b")


def test_an_alias_wins_over_a_model_of_its_name(tmp_path: Path) -> None:
    assert who(found(models(tmp_path, **REAL), "small")) == Route("groq", "added")


def test_an_alias_names_the_first_model_and_those_that_stand_in(tmp_path: Path) -> None:
    offer = found(models(tmp_path, **REAL), "best")
    assert who(offer) == Route("groq", "openai/gpt-oss-20b")
    assert offer.fallback_routes == (Route("mine", "openai/gpt-oss-20b"), Route("mine", "small"))


def test_who_names_a_model_gets_that_one(tmp_path: Path) -> None:
    assert found(models(tmp_path), "groq/openai/gpt-oss-20b").fallbacks == ()


def test_the_simulator_stands_in_for_built_in_providers_only(tmp_path: Path) -> None:
    offer = found(models(tmp_path, **SIMULATED), "best")
    assert [who(offer).provider, *(route.provider for route in offer.fallback_routes)] == ["simulated", "mine", "mine"]


def test_jobs_wait_in_the_queue_of_the_first_models_provider(tmp_path: Path) -> None:
    of = models(tmp_path)
    queues = {name: found(of, name).task_type.queue for name in ("one", "best", "mine/small")}
    assert queues == {"one": "image", "best": "text", "mine/small": "image"}
