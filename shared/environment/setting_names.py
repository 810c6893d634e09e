"""Finds misspelt settings, which would otherwise be ignored silently.

Every unknown name in `.env` is a mistake. The environment holds many variables of other programs, so there only names
that are close to one of ours are mistakes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from shared.environment.command_settings import KEY, URL
from shared.environment.secret_files import SECRETS
from shared.errors import ConfigurationError

NEAR, SIMILAR = 0.9, 0.6
"""Similarity of two names, from 0 to 1. NEAR: one is meant for the other. SIMILAR: enough for a guess."""
SHORT = 8
"""Names with fewer characters, not counting underscores, are near to too many others."""
WIDELY_SHARED = 5

COMPOSE_ONLY = ("POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "API_CPUS", "PROVIDER_KEYS", "GRAFANA_PORT")
"""Only docker-compose.yml reads these; its containers get all of `.env`."""
OF_THE_COMMAND = (URL, KEY)
"""The command `askonce` reads these."""
PRINTED = ("API_URL", "FLOWER_URL")
"""Printed by `askonce env` in addition to settings."""
OF_OTHERS = ("GROK_API_KEY", "LOGLEVEL")
"""Names of other programs that are near to ours."""
FOR_CONTAINERS = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "TZ")
FOR_DOCKER = ("COMPOSE_", "DOCKER_", "BUILDKIT_")


def check_names(
    settings: Iterable[str], in_file: Mapping[str, str | None], in_environment: Mapping[str, str | None]
) -> None:
    """Raise ConfigurationError that names every variable which looks like a setting but is none.

    `settings`: the names that are read. A variable without a value is ignored.
    """
    names = _Names(settings)
    complaints = [
        f"{name}: AskOnce has no such setting, but .env sets it{_hint(names.guess(name))}"
        for name in _set(in_file)
        if not names.is_known(name) and not _is_for_docker(name)
    ]
    complaints += [
        f"{name}: AskOnce has no such setting, but the environment sets it; did you mean {near}? If not, unset {name}"
        for name in _set(in_environment)
        if name not in in_file and (near := names.near(name))
    ]
    if complaints:
        raise ConfigurationError("\n".join(complaints))


class _Names:
    """The names that may be set; finds the one that is nearest to another name."""

    def __init__(self, settings: Iterable[str]) -> None:
        self._known = {*settings, *(f"{secret}_FILE" for secret in SECRETS), *COMPOSE_ONLY, *OF_THE_COMMAND, *PRINTED}
        self._squeezed = {name.replace("_", ""): name for name in sorted(self._known)}
        tails = Counter(_tail(name) for name in self._known)
        self._own_tails = {tail for tail, count in tails.items() if "_" in tail and count >= WIDELY_SHARED}

    def is_known(self, name: str) -> bool:
        return name in self._known

    def near(self, name: str) -> str | None:
        """Return the setting that this environment variable is meant for, None if it is another program's."""
        squeezed = name.replace("_", "")
        if name in self._known or name in OF_OTHERS or not name.isupper():
            return None
        if (bare := name.removeprefix("ASKONCE_")) != name:
            return bare if bare in self._known else None
        if len(squeezed) >= SHORT and (near := self._closest(name, NEAR)):
            return near
        return self._closest(name, SIMILAR) if _tail(name) in self._own_tails else None

    def guess(self, name: str) -> str | None:
        """Return the setting that is most like a name, None if none is similar."""
        return self._closest(name.upper(), SIMILAR)

    def _closest(self, name: str, least: float) -> str | None:
        found = get_close_matches(name.replace("_", ""), self._squeezed, n=1, cutoff=least)
        return self._squeezed[found[0]] if found else None


def _set(variables: Mapping[str, str | None]) -> Iterator[str]:
    return (name for name, value in variables.items() if value)


def _tail(name: str) -> str:
    """Return the last two words of a name."""
    return "_".join(name.split("_")[-2:])


def _is_for_docker(name: str) -> bool:
    return name.upper() in FOR_CONTAINERS or name.startswith(FOR_DOCKER)


def _hint(near: str | None) -> str:
    return f"; did you mean {near}?" if near else "; .env.example names all that there are"
