"""The scripts and style sheets of the page at `/`, read once and served from memory."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served, by the ending of its name; licences stay beside what they are about."""

SHEET = "style.css"
"""All style sheets in one, so that the first paint waits for one file."""

CLASSIC = "theme.js"
"""The one script that is no module: it runs before the first paint."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as a browser gets it."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their names within the folder, and the digest of all of them together."""

    files: Mapping[str, Asset]
    digest: str

    @property
    def modules(self) -> list[str]:
        """The names of the modules: a browser fetches them together, before it knows which imports which."""
        return sorted(name for name in self.files if name.endswith(".js") and name != CLASSIC)


def read_assets(folder: Path = FOLDER) -> Assets:
    """Read the files of a folder that a browser may have."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in MEDIA_TYPES]
    sheets = b"".join(path.read_bytes() for path in paths if path.suffix == ".css")
    found = {SHEET: Asset(sheets, MEDIA_TYPES[".css"])} | {
        str(path.relative_to(folder)): Asset(path.read_bytes(), MEDIA_TYPES[path.suffix])
        for path in paths
        if path.suffix != ".css"
    }
    digest = hashlib.sha256()
    for name, asset in found.items():
        digest.update(f"{name}\0{len(asset.content)}\0".encode() + asset.content)
    return Assets(found, digest.hexdigest()[:16])
