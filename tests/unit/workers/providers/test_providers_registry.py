import pytest

from shared.config import load_settings
from shared.domain.providers import BUILT_IN
from shared.jobs.errors import ProviderUnauthorized
from workers.providers.groq import GroqProvider
from workers.providers.huggingface import HuggingFaceProvider
from workers.providers.registry import Providers

ALL = {"GROQ_API_KEY": "gsk_1", "HF_API_KEY": "hf_1", "SIMULATOR_URL": "http://127.0.0.1:9"}


def providers(**environment: str) -> Providers:
    return Providers(load_settings(environment))


@pytest.mark.parametrize(
    ("name", "vendor", "kind"),
    [
        ("groq", "groq", GroqProvider),
        ("huggingface", "huggingface", HuggingFaceProvider),
        ("simulated", "groq", GroqProvider),
        ("simulated", "huggingface", HuggingFaceProvider),
    ],
)
def test_each_job_finds_its_provider(name: str, vendor: str, kind: type[object]) -> None:
    assert type(providers(**ALL).for_job(name, vendor)) is kind


@pytest.mark.parametrize(
    ("name", "vendor", "missing"),
    [
        ("groq", "groq", "GROQ_API_KEY"),
        ("huggingface", "huggingface", "HF_API_KEY"),
        ("simulated", "groq", "SIMULATOR_URL"),
        ("unheard", "unheard", "PROVIDERS_FILE"),
    ],
)
def test_a_worker_without_the_key_says_which_is_missing(name: str, vendor: str, missing: str) -> None:
    with pytest.raises(ProviderUnauthorized, match=missing):
        providers().for_job(name, vendor)


def test_every_provider_is_of_a_kind_that_there_is() -> None:
    reached = providers(**ALL)
    assert [name for name in BUILT_IN if not reached.for_job(name, name)] == []


def test_closing_without_a_call_is_fine() -> None:
    providers(**ALL).close()
