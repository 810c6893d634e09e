"""The shares of calls that need not be paid, as SVG: a group of bars for each TTL, in it one for each size."""

from collections.abc import Iterator, Sequence
from typing import Any

from cli.estimate.units import size_text, time_text

WIDTH, HEIGHT, LEFT, BASE = 760, 300, 60, 250
FULL = 200
"""The height of a bar of 100 %."""

KEY_WIDTH = 130
COLOURS = ("#9ec1f7", "#5a94ec", "#2f6fde", "#1d4ea8", "#12346f")
MOST_SIZES = len(COLOURS)
LABEL = "Share of calls that need not be paid, by TTL and size of the tier"


def chart(report: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the picture."""
    ttls = sorted({each["ttl_seconds"] for each in report["saved"]})
    sizes = sorted({each["size_bytes"] for each in report["saved"]})
    ratios = {(each["ttl_seconds"], each["size_bytes"]): each["ratio"] for each in report["saved"]}
    yield f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{LABEL}">'
    yield from _axis()
    group = (WIDTH - LEFT) / len(ttls)
    for place, ttl in enumerate(ttls):
        left = LEFT + (place + 0.1) * group
        yield from _group(left, group * 0.8, ttl, [(size, ratios[ttl, size]) for size in sizes])
    yield from _keys(sizes)
    yield "</svg>"


def _axis() -> Iterator[str]:
    for share in (0, 25, 50, 75, 100):
        y = BASE - share * FULL // 100
        yield f'<path class="axis" d="M{LEFT} {y}H{WIDTH}"/>' + _text(LEFT - 8, y + 4, f"{share} %", "end")


def _group(left: float, width: float, ttl: int, bars: Sequence[tuple[int, float]]) -> Iterator[str]:
    bar = width / len(bars)
    for number, (size, ratio) in enumerate(bars):
        x, height = left + number * bar, ratio * FULL
        yield (
            f'<rect x="{x + 1:.1f}" y="{BASE - height:.1f}" width="{bar - 2:.1f}" height="{height:.1f}" '
            f'fill="{COLOURS[number]}"><title>{time_text(ttl)}, {size_text(size)}: {ratio:.1%}</title></rect>'
        )
        yield _text(x + bar / 2, BASE - height - 5, f"{ratio:.0%}", "middle")
    yield _text(left + width / 2, BASE + 18, time_text(ttl), "middle")


def _keys(sizes: Sequence[int]) -> Iterator[str]:
    for number, size in enumerate(sizes):
        x = LEFT + number * KEY_WIDTH
        yield f'<rect x="{x}" y="{HEIGHT - 16}" width="12" height="12" fill="{COLOURS[number]}"/>'
        yield _text(x + 18, HEIGHT - 5, size_text(size), "start")


def _text(x: float, y: float, said: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{said}</text>'
