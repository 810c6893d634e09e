from pathlib import Path

import pytest
from examples import REAL, SIMULATED
from hypothesis import given
from hypothesis import strategies as st

from shared.config import load_settings, read_environment
from shared.domain.registry import TASK_TYPES
from shared.environment import secret_files
from shared.errors import ConfigurationError

HIDDEN = "hunter2"
SECRETS = {
    "GROQ_API_KEY": HIDDEN,
    "HF_API_KEY": HIDDEN,
    "DATABASE_URL": f"postgresql://u:{HIDDEN}@h/n",
    "MIGRATION_DATABASE_URL": f"postgresql://u:{HIDDEN}@h/n",
    "REDIS_CACHE_URL": f"redis://:{HIDDEN}@h/0",
    "CELERY_BROKER_URL": f"redis://:{HIDDEN}@h/1",
    "FLOWER_BASIC_AUTH": f"name:{HIDDEN}",
    "TRACES_HEADERS": f"authorization=Bearer {HIDDEN}",
}


def test_nothing_needs_to_be_set() -> None:
    settings = load_settings({})
    assert (settings.l1_ttl_seconds, settings.l2_ttl_seconds, settings.port) == (300, 3600, 8000)


def test_an_empty_base_url_means_the_providers_own() -> None:
    providers = load_settings({"GROQ_BASE_URL": "", "HF_BASE_URL": ""}).providers
    assert {name: access.base_url for name, access in providers.items()} == {
        "groq": "https://api.groq.com",
        "huggingface": "https://router.huggingface.co",
    }


def test_every_provider_has_settings_of_its_own() -> None:
    given = {"HF_API_KEY": "k", "HF_BASE_URL": "http://h:1", "HF_REQUESTS_PER_MINUTE": "7"}
    found = load_settings(given).providers["huggingface"]
    assert (found.api_key, found.base_url, found.requests_per_minute) == ("k", "http://h:1", 7)


def test_nobody_is_named_to_answer_unless_a_setting_does() -> None:
    assert load_settings({**REAL, **SIMULATED}).queue_providers == {"text": None, "image": None}


def test_a_provider_may_be_named_for_a_queue() -> None:
    settings = load_settings({**SIMULATED, "TEXT_PROVIDER": "simulated", "IMAGE_PROVIDER": "huggingface"})
    assert settings.queue_providers == {"text": "simulated", "image": "huggingface"}


def test_to_simulate_takes_a_simulator() -> None:
    with pytest.raises(ConfigurationError, match=r"^IMAGE_PROVIDER: .*SIMULATOR_URL"):
        load_settings({"IMAGE_PROVIDER": "simulated"})


def test_a_provider_of_the_other_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^TEXT_PROVIDER: must be one of groq, simulated"):
        load_settings({"TEXT_PROVIDER": "huggingface"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("L1_TTL_SECONDS", str(30 * 24 * 3600 + 1)),
        ("L2_TTL_SECONDS", str(30 * 24 * 3600 + 1)),
        ("L1_TTL_SECONDS", "-1"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("MAX_INPUT_CHARS", "0"),
        ("PROVIDER_TIMEOUT_SECONDS", "nan"),
        ("REQUEST_LOG_DURABLE", "maybe"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "mysql://h/n"),
        ("MIGRATION_DATABASE_URL", "h/n"),
        ("REDIS_CACHE_URL", "memcached://h"),
        ("CELERY_BROKER_URL", "amqp://h"),
        ("MEMCACHED_SERVERS", "h:port"),
        ("MEMCACHED_SERVERS", ","),
        ("IMAGE_URL_ALLOW", "h"),
        ("GROQ_BASE_URL", "api.groq.com"),
        ("GROQ_BASE_URL", "https://api.gröq.com"),
        ("GROQ_BASE_URL", "https://api.groq.com/a b"),
        ("HF_BASE_URL", "https://router\thuggingface.co"),
        ("HF_BASE_URL", "https://h:port"),
        ("HF_BASE_URL", "https://h:99999"),
        ("GROQ_BASE_URL", "https://h/?a=b"),
        ("GROQ_BASE_URL", "https://h/#part"),
        ("LISTEN_ADDRESS", "my.host"),
        ("LISTEN_ADDRESS", "127.0.0.1:8000"),
        ("FLOWER_ADDRESS", "everywhere"),
        ("SIMULATOR_URL", "9000"),
        ("DATABASE_URL", "postgresql://u:p@h:port/n"),
        ("DATABASE_URL", "postgresql://u:p@h:99999/n"),
        ("REDIS_CACHE_URL", "redis://h:port/0"),
        ("REDIS_CACHE_URL", "redis://h:6379/zero"),
        ("CELERY_BROKER_URL", "redis://h:99999/0"),
    ],
)
def test_a_wrong_value_stops_the_start_with_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        load_settings({name: value})


@pytest.mark.parametrize(("given", "meant"), [("localhost", "127.0.0.1"), ("[::1]", "::1"), ("0.0.0.0", "0.0.0.0")])  # noqa: S104
def test_addresses_to_listen_on_are_those_of_networks(given: str, meant: str) -> None:
    settings = load_settings({"LISTEN_ADDRESS": given, "FLOWER_ADDRESS": given})
    assert (settings.listen_address, settings.flower_address) == (meant, meant)


def test_unless_told_otherwise_two_of_the_largest_pictures_are_decoded_at_once() -> None:
    assert load_settings({"MAX_IMAGE_PIXELS": "1000"}).max_pixels_decoding == 2000


def test_a_tier_can_be_switched_off() -> None:
    assert load_settings({"L1_TTL_SECONDS": "0"}).l1_ttl_seconds == 0


def test_thirty_days_is_the_longest_a_tier_keeps() -> None:
    assert load_settings({"L2_TTL_SECONDS": "2592000"}).l2_ttl_seconds == 2_592_000


def test_waiters_need_no_threads() -> None:
    assert load_settings({"API_THREADS": "2", "MAX_WAITERS": "9000"}).max_waiters == 9000


def test_hosts_are_compared_in_lower_case() -> None:
    assert load_settings({"ALLOWED_HOSTS": "API, askonce.Example"}).allowed_hosts == ("api", "askonce.example")


def test_migrations_go_where_the_data_is_unless_told_otherwise() -> None:
    settings = load_settings({"DATABASE_URL": "postgres://h/n"})
    assert settings.migration_database_url == settings.database_url == "postgresql+psycopg2://h/n"


def test_several_memcached_nodes_can_be_named() -> None:
    assert load_settings({"MEMCACHED_SERVERS": "a,b:1"}).memcached_servers == (("a", 11211), ("b", 1))


@pytest.mark.parametrize("task", [task_type.name for task_type in TASK_TYPES])
def test_a_task_can_be_given_models(task: str) -> None:
    settings = load_settings({f"{task.upper()}_MODEL": "a/b", f"{task.upper()}_ALLOWED_MODELS": "c/d, e/f"})
    assert (settings.models, settings.allowed_models) == ({task: "a/b"}, {task: ("c/d", "e/f")})


def test_secrets_are_never_shown() -> None:
    assert SECRETS.keys() == set(secret_files.SECRETS)
    assert HIDDEN not in repr(load_settings(SECRETS))


@given(
    st.sampled_from(sorted(SECRETS)),
    st.sampled_from(["", "redis://", "redis://u:", "postgresql://u:", "postgresql://h/n?"]) | st.text(max_size=9),
    st.text(max_size=9),
)
def test_no_complaint_shows_a_secret(name: str, before: str, after: str) -> None:
    try:
        load_settings({name: f"{before}{HIDDEN}{after}"})
    except ConfigurationError as err:
        assert HIDDEN not in str(err)  # noqa: PT017  being read is fine too


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_CACHE_URL", "CELERY_BROKER_URL"])
def test_a_complaint_does_not_show_a_secret(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({name: f"wrong://u:{HIDDEN}@h/n"})
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize("name", ["GROQ_API_KEY", "HF_API_KEY"])
@pytest.mark.parametrize("key", ["schlüssel", "one\ntwo", "one\x00two", "“quoted”"])
def test_a_key_that_no_header_can_carry_stops_the_start(name: str, key: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name}: .*header") as caught:
        load_settings({name: key})
    assert key not in str(caught.value)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_CACHE_URL", "CELERY_BROKER_URL"])
def test_a_password_in_the_place_of_a_port_is_not_shown(name: str) -> None:
    scheme = "postgresql" if name == "DATABASE_URL" else "redis"
    with pytest.raises(ConfigurationError, match=f"^{name}: ") as caught:
        load_settings({name: f"{scheme}://h:{HIDDEN}/0"})
    assert HIDDEN not in str(caught.value)


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    file = tmp_path / ".env"
    file.write_text("ASKONCE_TEST_A=from the file\nASKONCE_TEST_B=from the file\nASKONCE_TEST_C=\nASKONCE_TEST_D\n")
    return file


def test_the_environment_wins_over_the_file(dotenv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKONCE_TEST_A", "from the environment")
    read = read_environment(dotenv)
    assert (read["ASKONCE_TEST_A"], read["ASKONCE_TEST_B"]) == ("from the environment", "from the file")


def test_empty_values_in_the_file_are_unset(dotenv: Path) -> None:
    assert not {"ASKONCE_TEST_C", "ASKONCE_TEST_D"} & read_environment(dotenv).keys()


def test_without_a_file_the_environment_alone_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKONCE_TEST_A", "here")
    assert read_environment(tmp_path / ".env")["ASKONCE_TEST_A"] == "here"


def test_by_default_answers_are_kept_for_a_day_beyond_their_freshness_and_providers_have_no_limit() -> None:
    settings = load_settings({})
    assert (settings.stale_if_error_seconds, settings.stale_while_revalidate_seconds) == (86_400, 0)
    assert {access.requests_per_minute for access in settings.providers.values()} == {0}
    assert (settings.fallback_models, settings.fallback_ttl_seconds) == ({}, 60)
