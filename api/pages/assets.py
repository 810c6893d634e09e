"""The scripts and style sheets of the page at `/`, read once and served from memory."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served, by the ending of its name; licences stay beside what they are about."""

CLASSIC = "early.js"
"""The one script that is no module: it is written into the page, because it runs before anything else."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as a browser gets it: as it is, or compressed for browsers that take gzip."""

    content: bytes
    gzipped: bytes
    media_type: str


def asset(content: bytes, media_type: str) -> Asset:
    """Return a file, compressed too: the same bytes for the same content, whenever that is."""
    return Asset(content, gzip.compress(content, mtime=0), media_type)


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their names within the folder, and the digest of all of them together.

    `sheet` (all style sheets as one) and `classic` are for the page itself, so that its first paint waits for no file.
    """

    files: Mapping[str, Asset]
    digest: str
    sheet: str
    classic: str

    @property
    def modules(self) -> list[str]:
        """The names of the modules: a browser fetches them together, before it knows which imports which."""
        return sorted(name for name in self.files if name.endswith(".js"))


def read_assets(folder: Path = FOLDER) -> Assets:
    """Read the files of a folder that a browser may have."""
    named = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    classic = named.pop(CLASSIC).read_text()
    sheet = "".join(path.read_text() for path in named.values() if path.suffix == ".css")
    files = {
        name: asset(path.read_bytes(), MEDIA_TYPES[path.suffix])
        for name, path in named.items()
        if path.suffix in MEDIA_TYPES
    }
    digest = hashlib.sha256()
    for name, each in files.items():
        digest.update(f"{name}\0{len(each.content)}\0".encode() + each.content)
    return Assets(files, digest.hexdigest()[:16], sheet, classic)
