"""Secrets from files: the variable `NAME_FILE` holds the path of a file with the value of `NAME`."""

from collections.abc import Mapping
from pathlib import Path

from shared.domain.providers import BUILT_IN
from shared.errors import ConfigurationError

SECRETS = (
    *(provider.key_name for provider in BUILT_IN.values()),
    "DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "REDIS_CACHE_URL",
    "CELERY_BROKER_URL",
    "FLOWER_BASIC_AUTH",
    "TRACES_HEADERS",
)


def with_secrets_from_files(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables, with each secret that is only given as a file filled in. A set variable wins over its file.

    An empty file counts as an unset variable. Raises ConfigurationError for a file that can't be read.
    """
    files = {name: file for name in SECRETS if not variables.get(name) and (file := variables.get(f"{name}_FILE"))}
    return {**variables, **{name: _content(f"{name}_FILE", file) for name, file in files.items()}}


def _content(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as err:
        reason = err.strerror if isinstance(err, OSError) else "not UTF-8"
        message = f"{name}: {file} can't be read: {reason}"
        raise ConfigurationError(message) from err
