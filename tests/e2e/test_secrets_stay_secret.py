"""No secret that an AskOnce knows is seen by anyone: not in answers, pages, logs, rows, messages or process lists.

A secret of a new kind needs a line in `planted`, and a use: in `the_settings`, or in `Told.call` if clients send it.
"""

import base64
import stat
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import pytest

from api.access.key_format import digest, new_id, new_key
from shared.config import Settings, load_settings
from shared.domain.request import SCOPES
from shared.environment.secret_files import SECRETS
from tests.e2e import heard
from tests.e2e.echoing_provider import echoing_provider
from tests.e2e.own_users import OwnUsers
from tests.e2e.planted import Secret, found_in, secret_key
from tests.e2e.told_secrets import CLIENT, QUESTION, STRANGER, WRONG, Told
from tests.keys_command import askonce_keys
from tests.servers import session_servers
from tests.stack import start_stack, stop_stack

IN_URLS = ("DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_CACHE_URL", "CELERY_BROKER_URL")
HARD_TO_ESCAPE = "@:/?#%"
OF_FILE = "api_key of PROVIDERS_FILE"
SHOWN = {
    "the API": (
        QUESTION,
        "Groq answered 400: ",
        "Hugging Face answered 401: ",
        "My own answered ",
        "askonce_",
        "internal_error",
    ),
    "Flower": ("text@", "askonce.run_job", "askonce_worker_messages_taken", "broker_url"),
    "logs": ("API starts", "Unexpected error", "was ended by SIGKILL", "password authentication failed"),
    "process lists": ("-m\0workers\0text", "postgres", "valkey"),
    "the database": (QUESTION, "Groq answered 400: "),
    "Redis": ("An answer.", "askonce.run_job"),
    "askonce status": ("external", "worker-text"),
    "askonce keys": ("known", "changed", "revoked"),
    "starts that fail": ("REDIS_CACHE_URL: ", "The database was not migrated"),
}
"""Every place, and what has to be seen there: a place that was not looked at shows no secret either."""


def planted() -> dict[str, Secret]:
    """Return a secret for each setting, for what a client sends, and for an address that can't be used."""
    plain = [
        Secret(name)
        for name in ("GROQ_API_KEY", "HF_API_KEY", OF_FILE, "FLOWER_BASIC_AUTH", "TRACES_HEADERS", STRANGER)
    ]
    secrets = [
        *plain,
        secret_key(CLIENT, new_key(new_id())),
        *(Secret(name, HARD_TO_ESCAPE) for name in IN_URLS),
        Secret(WRONG, " "),
    ]
    return {secret.name: secret for secret in secrets}


def the_settings(users: OwnUsers, secrets: dict[str, Secret], provider: str, folder: Path) -> dict[str, str]:
    return {
        **users.settings(),
        "MEMCACHED_SERVERS": str(users.servers.memcached.address),
        "FLOWER_BASIC_AUTH": f"name:{secrets['FLOWER_BASIC_AUTH'].value}",
        "TRACES_ENDPOINT": f"{provider}/traces",
        "TRACES_HEADERS": f"authorization=Bearer {secrets['TRACES_HEADERS'].value}",
        "TRACES_HIT_RATIO": "1",
        "GROQ_BASE_URL": provider,
        "HF_BASE_URL": provider,
        "PROVIDERS_FILE": str(folder / "providers.toml"),
        "TRANSLATION_MODEL": "mine:model",
        "IMAGE_URL_ALLOW": provider.removeprefix("http://"),
        "MAX_ATTEMPTS": "2",
        "LOG_LEVEL": "DEBUG",
        "AUTH": "on",
    }


def let_in(key: Secret, file: Path, settings: Settings) -> None:
    """Make a key that its client has already, with every scope."""
    file.write_text(key.value)
    askonce_keys(settings, "ensure", "known", str(file), "--scopes", ",".join(SCOPES))
    file.unlink()


def write_keys(folder: Path, secrets: dict[str, Secret], provider: str) -> None:
    """Write one key into `.env`, one into a file of its own, and one with the provider that it is for."""
    dotenv, key_file, providers = folder / ".env", folder / "hf-key", folder / "providers.toml"
    for file in (dotenv, key_file, providers):
        file.touch(0o600)
    key_file.write_text(secrets["HF_API_KEY"].value)
    providers.write_text(
        f'[providers.mine]\nbase_url = "{provider}/mine"\napi_key = "{secrets[OF_FILE].value}"\ntitle = "My own"\n'
    )
    dotenv.write_text(f"GROQ_API_KEY={secrets['GROQ_API_KEY'].value}\nHF_API_KEY_FILE={key_file}\n")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """All that was seen of a stack that runs no more."""
    folder, secrets, servers = tmp_path_factory.mktemp("secrets"), planted(), session_servers()
    with ExitStack() as at_the_end:
        database = at_the_end.enter_context(servers.lent())["DATABASE_URL"].rpartition("/")[2]
        users = OwnUsers(servers, database, {name: secrets[name] for name in IN_URLS})
        at_the_end.callback(users.drop)
        users.create()
        provider = at_the_end.enter_context(echoing_provider())
        commands = at_the_end.enter_context(heard.commands_of_redis(servers))
        write_keys(folder, secrets, provider.url)
        settings = the_settings(users, secrets, provider.url, folder)
        let_in(secrets[CLIENT], folder / "our-key", load_settings(settings))
        stack = start_stack(folder, settings)
        told = Told(stack, users, secrets, f"{provider.url}/picture.png", provider.requests)
        at_the_end.callback(told.look_at_logs)
        at_the_end.callback(stop_stack, stack)
        told.run_jobs()
        told.look_at_pages()
        told.ask_wrongly()
        told.make_keys(load_settings(settings))
        told.look_at_servers()
        told.look_at_commands(settings)
        told.crash()
        told.lock_out()
        told.start_wrongly(settings)
        told.keep("Redis", {"every command": bytes(commands)})
    return told


@pytest.mark.parametrize("place", SHOWN)
def test_no_secret_is_seen_in(place: str, told: Told) -> None:
    assert found_in(told.places[place], told.secrets.values()) == []


@pytest.mark.parametrize(("place", "words"), SHOWN.items(), ids=SHOWN)
def test_what_is_no_secret_is_seen_in(place: str, words: tuple[str, ...], told: Told) -> None:
    everything = b"\n".join(told.places[place].values()).decode(errors="replace")
    assert [each for each in words if each not in everything] == []


def test_every_setting_that_takes_a_secret_has_one() -> None:
    assert set(SECRETS) - planted().keys() == set()


def test_each_server_is_sent_its_own_key_and_that_of_a_picture_none(told: Told) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    for request in told.sent:
        path = request.split(maxsplit=2)[1].decode()
        seen[path.split("/")[1]].update(
            found.partition(" in ")[0] for found in found_in({path: request}, told.secrets.values())
        )
    assert seen == {
        "openai": {"GROQ_API_KEY"},
        "mine": {OF_FILE},
        "hf-inference": {"HF_API_KEY"},
        "picture.png": set(),
        "traces": {"TRACES_HEADERS"},
        "picture.png.missing": set(),
    }


def test_of_our_keys_the_database_has_the_digests(told: Told) -> None:
    table = b"".join(seen for name, seen in told.places["the database"].items() if '"api_keys"' in name)
    assert digest(told.secrets[CLIENT].value).hex().encode() in table


def test_askonce_env_shows_the_addresses_of_servers_with_their_passwords_and_no_other_secret(told: Told) -> None:
    names = {found.partition(" in ")[0] for found in found_in(told.places["askonce env"], told.secrets.values())}
    assert names == {"DATABASE_URL", "REDIS_CACHE_URL", "CELERY_BROKER_URL"}


def test_a_file_with_a_secret_is_closed_to_other_users(told: Told) -> None:
    files = [path for path in told.stack.root.rglob("*") if path.is_file()]
    secret = [path for path in files if found_in({path.name: path.read_bytes()}, told.secrets.values())]
    assert {path.name for path in secret} == {".env", "hf-key", "providers.toml", "run.json"}
    assert [path for path in secret if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)] == []


KNOWN = Secret("known", HARD_TO_ESCAPE)


@pytest.mark.parametrize(
    "text",
    [
        f"before {KNOWN.value} after",
        f"redis://user:{KNOWN.in_url}@host",
        KNOWN.halves[0],
        KNOWN.halves[1],
        KNOWN.value.encode().hex(),
        *(base64.b64encode(f"{'x' * before}{KNOWN.value} after".encode()).decode() for before in range(3)),
    ],
    ids=[
        "whole",
        "in a URL",
        "first half",
        "second half",
        "hexadecimal",
        *(f"base64 from {each}" for each in range(3)),
    ],
)
def test_a_secret_is_found_however_it_is_written(text: str) -> None:
    assert found_in({"somewhere": text.encode()}, [KNOWN])
