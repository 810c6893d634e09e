import pytest

from shared.config import load_settings
from shared.jobs.errors import ProviderUnauthorized
from workers.providers.groq import GroqProvider
from workers.providers.huggingface import HuggingFaceProvider
from workers.providers.registry import Providers

ALL = {"GROQ_API_KEY": "gsk_1", "HF_API_KEY": "hf_1", "SIMULATOR_URL": "http://127.0.0.1:9"}


def providers(**environment: str) -> Providers:
    return Providers(load_settings(environment))


@pytest.mark.parametrize(
    ("name", "queue", "kind"),
    [
        ("groq", "text", GroqProvider),
        ("huggingface", "image", HuggingFaceProvider),
        ("simulated", "text", GroqProvider),
        ("simulated", "image", HuggingFaceProvider),
    ],
)
def test_each_job_finds_its_provider(name: str, queue: str, kind: type[object]) -> None:
    assert type(providers(**ALL).for_job(name, queue)) is kind


@pytest.mark.parametrize(
    ("name", "queue", "missing"),
    [
        ("groq", "text", "GROQ_API_KEY"),
        ("huggingface", "image", "HF_API_KEY"),
        ("simulated", "text", "SIMULATOR_URL"),
        ("unheard", "text", "a setting"),
    ],
)
def test_a_worker_without_the_key_says_which_is_missing(name: str, queue: str, missing: str) -> None:
    with pytest.raises(ProviderUnauthorized, match=missing):
        providers().for_job(name, queue)


def test_closing_without_a_call_is_fine() -> None:
    providers(**ALL).close()
