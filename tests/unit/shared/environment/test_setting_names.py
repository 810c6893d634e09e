from pathlib import Path

import pytest

from shared.config import load_settings, setting_names
from shared.environment.secret_files import SECRETS
from shared.environment.setting_names import check_names
from shared.errors import ConfigurationError
from tests.checkout import CHECKOUT

EXAMPLE = CHECKOUT / ".env.example"
OF_THE_MACHINE = (
    "PATH",
    "HOME",
    "PYTHONPATH",
    "PORT_RANGE",
    "PORTS",
    "API_URL",
    "FLOWER_URL",
    "ASKONCE_RUN",
    "HF_HOME",
    "HF_TOKEN",
    "HF_HUB_OFFLINE",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "DD_API_KEY",
    "XAI_API_KEY",
    "GROK_API_KEY",
    "LOGLEVEL",
    "REDIS_URL",
    "TEST_DATABASE_URL",
    "DATABASE_NAME",
    "CELERY_BROKER_READ_URL",
    "CELERY_CONFIG_MODULE",
    "FLOWER_UNAUTHENTICATED_API",
    "CACHE_TTL_SECONDS",
    "REMAP_SIGTERM",
    "log_level",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which holds the `.env` that processes read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_names_of_settings_are_those_that_are_asked_for() -> None:
    assert {"PORT", "GROQ_API_KEY", "L1_TTL_SECONDS", "CHAT_ALLOWED_MODELS"} <= setting_names()


def test_every_setting_is_asked_for_whatever_the_others_say() -> None:
    everything = {"GROQ_API_KEY": "k", "HF_API_KEY": "k", "SIMULATOR_URL": "http://h", "DATABASE_URL": "postgres://h/n"}
    assert setting_names() == setting_names(everything)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("L1_TTL_SECOND", "L1_TTL_SECONDS"),
        ("GROQ_APIKEY", "GROQ_API_KEY"),
        ("HF_APIKEY", "HF_API_KEY"),
        ("MEMCACHED_SERVER", "MEMCACHED_SERVERS"),
        ("LISTEN_ADRESS", "LISTEN_ADDRESS"),
        ("WORKER_CONCURENCY", "WORKER_CONCURRENCY"),
        ("CHAT_MODELS", "CHAT_MODEL"),
        ("TRANSLATE_ALLOWED_MODELS", "TRANSLATION_ALLOWED_MODELS"),
        ("ASKONCE_PORT", "PORT"),
        ("GROQ_API_KEY_FIL", "GROQ_API_KEY_FILE"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_misspelt_setting_stops_the_start_and_the_near_one_is_named(
    wrong: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{wrong}: .* {meant}\?"):
        check_names(setting_names(), {}, {wrong: "1"})
    monkeypatch.setenv(wrong, "1")
    with pytest.raises(ConfigurationError, match=rf"^{wrong}: "):
        load_settings()


@pytest.mark.parametrize("name", OF_THE_MACHINE)
def test_variables_of_the_machine_stop_nothing(name: str) -> None:
    check_names(setting_names(), {}, {name: "1"})


@pytest.mark.parametrize(
    "name", ["L1_TTL_SECOND", "LOG_LVL", "GROQ_KEY", "PORTS", "port", "SOMETHING_ELSE", "HF_TOKEN"]
)
def test_any_name_in_the_file_that_is_no_setting_stops_the_start(name: str, folder: Path) -> None:
    (folder / ".env").write_text(f"{name}=1\n")
    with pytest.raises(ConfigurationError, match=rf"^{name}: .*\.env"):
        load_settings()


def test_a_far_name_in_the_file_is_answered_with_where_all_names_are() -> None:
    with pytest.raises(ConfigurationError, match=r"^SOMETHING_ELSE: .* \.env\.example names all"):
        check_names(setting_names(), {"SOMETHING_ELSE": "1"}, {})


def test_every_wrong_name_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_names(setting_names(), {"L1_TTL_SECOND": "1"}, {"GROQ_APIKEY": "1"})
    assert [line.partition(":")[0] for line in caught.value.detail.splitlines()] == ["L1_TTL_SECOND", "GROQ_APIKEY"]


def test_a_wrong_name_shows_no_value() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_names(setting_names(), {}, {"GROQ_APIKEY": "hunter2"})
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize("value", ["", None])
def test_a_name_without_a_value_says_nothing(value: str | None) -> None:
    check_names(setting_names(), {"L1_TTL_SECOND": value}, {"GROQ_APIKEY": ""})


@pytest.mark.parametrize("name", [f"{secret}_FILE" for secret in SECRETS])
def test_the_file_of_a_secret_is_a_setting(name: str) -> None:
    check_names(setting_names(), {name: "/somewhere"}, {name: "/somewhere"})


@pytest.mark.parametrize("name", ["COMPOSE_PROJECT_NAME", "DOCKER_HOST", "HTTPS_PROXY", "no_proxy", "TZ"])
def test_what_the_file_tells_docker_and_containers_stops_nothing(name: str) -> None:
    check_names(setting_names(), {name: "1"}, {})


def test_every_variable_of_the_example_is_known() -> None:
    lines = [line.lstrip("# ").partition("=") for line in EXAMPLE.read_text().splitlines()]
    named = {name: "1" for name, equals, _ in lines if equals and name.isupper() and " " not in name}
    assert "API_CPUS" in named
    check_names(setting_names(), named, named)


@pytest.mark.usefixtures("folder")
def test_a_container_that_is_given_all_of_the_file_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"POSTGRES_PASSWORD": "x", "API_CPUS": "2", "FLOWER_BASIC_AUTH": "", "COMPOSE_FILE": "a", "OTHER": "1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert load_settings().flower_basic_auth == ()
