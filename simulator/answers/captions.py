"""Captions and labels for pictures, decided by the picture's digest."""

import hashlib
from collections.abc import Mapping

from simulator.answers.labels import IMAGENET, NSFW

THINGS = ("a small dog", "a red bicycle", "an old lighthouse", "two sailing boats", "a market stall", "a green hill")
DEEDS = (
    "stands in the sun",
    "is seen from above",
    "fills most of the frame",
    "waits by the road",
    "rests in the shade",
)
PLACES = ("near the water", "in front of a white wall", "under a cloudy sky", "on a quiet street", "in the evening")
#: Sample picture -> caption and the ImageNet label that comes first.
SAMPLES = {
    "cat.png": ("A grey cat sits in front of a green wall and looks at the viewer.", "Egyptian cat"),
    "bridge.jpg": ("A suspension bridge with two towers spans a wide blue bay.", "suspension bridge"),
    "sunset.webp": ("The sun sets behind dark hills over a calm sea.", "seashore, coast, seacoast, sea-coast"),
    "wave.gif": ("A blue wave rolls across the picture.", "sandbar, sand bar"),
}
PICTURE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")


def is_picture(content: bytes) -> bool:
    """Tell whether the bytes start like a picture of a format that Hugging Face reads."""
    return content.startswith(PICTURE_STARTS) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


class Captions:
    """Describes pictures. Knows the sample pictures by their digest; makes up the rest from theirs."""

    def __init__(self, samples: Mapping[str, bytes]) -> None:
        self._known = {_digest(content).hex(): SAMPLES[name] for name, content in samples.items() if name in SAMPLES}

    def describe(self, picture: bytes, words: int | None) -> str:
        """Return one sentence of at most so many words, the same for the same bytes."""
        digest = _digest(picture)
        made_up = (THINGS, DEEDS, PLACES)
        chosen = " ".join(parts[number % len(parts)] for parts, number in zip(made_up, digest, strict=False))
        caption = self._known.get(digest.hex(), (f"{chosen[0].upper()}{chosen[1:]}.",))[0]
        said = caption.split()
        return caption if words is None or len(said) <= words else " ".join(said[:words]).rstrip(".,") + "."

    def classify(self, picture: bytes, *, nsfw: bool) -> list[tuple[str, float]]:
        """Return every label with its score, best first; the scores add up to at most 1."""
        digest = _digest(picture)
        labels = NSFW if nsfw else IMAGENET
        first = "normal" if nsfw else self._known.get(digest.hex(), ("", ""))[1]
        ranked = sorted(labels, key=lambda label: (label != first, _digest(digest + label.encode())))
        steepness = 1.5 + digest[0] / 256
        weights = [(rank + 1) ** -steepness for rank in range(len(ranked))]
        # Rounding hides what the last digit of a power owes to the machine's mathematics library.
        return [(label, int(weight / sum(weights) * 1e6) / 1e6) for label, weight in zip(ranked, weights, strict=True)]


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
