"""`askonce explain`: whether two requests have one cache key, and where they differ. Asks no server."""

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from api.dialects.embeddings import EmbeddingEndpoint
from api.explaining.differences import MOST, Difference, differences
from api.http.intake import rules_of
from api.http.json_body import MAX_TOKENS, parse_json
from api.http.reply import JSON
from cli.bodies import Bodies, kind_of
from cli.checkout import environment_of_service
from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.printable import printable
from cli.reading import read_file
from shared.config import Settings, load_settings
from shared.domain.catalogue import make_catalogue
from shared.domain.embedding_input import MOST_TOKEN_IDS
from shared.domain.embeddings import embedding_models
from shared.domain.request import ANONYMOUS, Client
from shared.errors import RequestError

SAME, DIFFERENT, TROUBLE = ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE
"""As `diff` ends."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add both requests."""
    parser.add_argument("here", metavar="A", type=Path, help="a file with the body of a request, as JSON")
    parser.add_argument("there", metavar="B", type=Path, help="a file with the other one")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--namespace",
        default=ANONYMOUS.namespace,
        help="whose key: with AUTH=on and CACHE_SCOPE=tenant, the tenant (%(default)s)",
    )
    parser.epilog = (
        "Ends with 0 if both have the same key, with 1 if not, and with 2 if something is wrong, as diff does."
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare two requests. Raises ConfigurationError, and CommandFailed for a file that is no request."""
    reader = _Reader(load_settings(environment_of_service()), Client(ANONYMOUS.name, arguments.namespace))
    here, there = (_read(path, reader) for path in (arguments.here, arguments.there))
    found = list(differences(here.parts, there.parts))
    if arguments.json:
        console.write_json(_document(here, there, found))
    else:
        console.write(_text(arguments, here, there, found))
    return SAME if here.key == there.key else DIFFERENT


class _Asked(NamedTuple):
    """A request. `key`: of embeddings that of all texts together, whatever their order. `parts`: what is compared."""

    key: str
    parts: Any


class _Reader:
    """Reads bodies of all endpoints that ask."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._client = client
        self._bodies = Bodies(settings)
        self._embeddable = embedding_models(settings)
        rules = rules_of(settings, make_catalogue(settings))
        self._embeddings = EmbeddingEndpoint(self._embeddable, rules.max_input_chars, rules.max_body_bytes)

    def read(self, body: bytes) -> _Asked:
        """Return what a body asks; raise a RequestError."""
        if self._is_for_embeddings(body):
            wanted = self._embeddings.read(JSON, body, self._client)
            return _Asked(wanted.whole().key, wanted.request_for(wanted.keys).parts)
        request = self._bodies.read(body, self._client)
        return _Asked(request.key, request.parts)

    def _is_for_embeddings(self, body: bytes) -> bool:
        """Tell it by the model: bodies of responses have the same members."""
        document = parse_json(body, MAX_TOKENS + MOST_TOKEN_IDS)
        if not isinstance(document, dict) or kind_of(document) != "response":
            return False
        model = document.get("model")
        return isinstance(model, str) and self._embeddable.find(model) is not None


def _read(path: Path, reader: _Reader) -> _Asked:
    try:
        return reader.read(read_file(path))
    except RequestError as error:
        message = f"{path}: {error}"
        raise CommandFailed(message, TROUBLE) from error


def _document(here: _Asked, there: _Asked, found: list[Difference]) -> dict[str, Any]:
    return {
        "same": here.key == there.key,
        "keys": [here.key, there.key],
        "differences": [each.document() for each in found],
        "parts": [here.parts, there.parts],
    }


def _text(arguments: argparse.Namespace, here: _Asked, there: _Asked, found: list[Difference]) -> str:
    if here.key == there.key:
        return f"the same key: {here.key}"
    lines = [f"different keys: {here.key}, {there.key}"]
    for each in found[:MOST]:
        lines.append(f"  {each.part}" + ("" if each.at is None else f", from character {each.at}"))
        values = each.document()
        for path, side in ((arguments.here, "here"), (arguments.there, "there")):
            lines.append(f"    {path}: {printable(str(values.get(side, '(not set)')))}")
    more = len(found) - MOST
    return "\n".join([*lines, *([f"  and {more} more"] if more > 0 else [])])
