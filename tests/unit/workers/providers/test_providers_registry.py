from pathlib import Path

import pytest

from shared.config import load_settings
from shared.domain.providers import BUILT_IN
from shared.errors import ConfigurationError
from shared.jobs.errors import ProviderUnauthorized
from workers.providers.groq import GroqProvider
from workers.providers.huggingface import HuggingFaceProvider
from workers.providers.openai import OpenAIProvider
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


def from_file(folder: Path, more: str = "", **environment: str) -> Providers:
    path = folder / "providers.toml"
    path.write_text(f'[providers.mine]\nbase_url = "http://127.0.0.1:9"\n{more}')
    return providers(PROVIDERS_FILE=str(path), **environment)


def test_a_provider_of_the_file_needs_no_key(tmp_path: Path) -> None:
    assert type(from_file(tmp_path).for_job("mine", "mine")) is OpenAIProvider


def test_the_simulator_never_replaces_a_provider_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ProviderUnauthorized):
        from_file(tmp_path, **ALL).for_job("simulated", "mine")


def test_a_key_may_be_in_a_file_that_only_workers_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\n")
    assert from_file(tmp_path, 'api_key_file = "key"').for_job("mine", "mine")


@pytest.mark.parametrize(
    ("content", "said"), [(None, "can't be read: No such file"), ("", "holds no key"), ("k\u00e9y", "holds no key")]
)
def test_a_worker_does_not_start_without_the_key_that_the_file_names(
    tmp_path: Path, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    with pytest.raises(ConfigurationError, match=rf"^PROVIDERS_FILE: api_key_file of \[providers.mine\], .*{said}"):
        from_file(tmp_path, 'api_key_file = "key"')


def test_every_provider_is_of_a_kind_that_there_is() -> None:
    reached = providers(**ALL)
    assert [name for name in BUILT_IN if not reached.for_job(name, name)] == []


def test_closing_without_a_call_is_fine() -> None:
    providers(**ALL).close()
