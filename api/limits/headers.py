"""What responses say of a client's limits.

`RateLimit-Policy` and `RateLimit` are structured fields of draft-ietf-httpapi-ratelimit-headers-11; `x-ratelimit-*` are
what the SDKs of OpenAI and Groq read.
"""

from collections.abc import Sequence

from api.limits.balances import TokenBalance
from api.limits.windows import WINDOW_SECONDS, Rate


def limit_headers(rates: Sequence[Rate], tokens: TokenBalance | None) -> dict[str, str]:
    """Return the headers; none for a client without limits. Of several limits, SDKs are told of the tightest."""
    headers = {}
    if rates:
        tightest = min(rates, key=lambda rate: rate.remaining)
        headers = {
            "RateLimit-Policy": ", ".join(f'"{rate.policy}";q={rate.limit};w={WINDOW_SECONDS}' for rate in rates),
            "RateLimit": ", ".join(f'"{rate.policy}";r={rate.remaining};t={rate.resets_in}' for rate in rates),
            "x-ratelimit-limit-requests": str(tightest.limit),
            "x-ratelimit-remaining-requests": str(tightest.remaining),
            "x-ratelimit-reset-requests": f"{tightest.resets_in}s",
        }
    if tokens is not None:
        headers |= {
            "x-ratelimit-limit-tokens": str(tokens.limit),
            "x-ratelimit-remaining-tokens": str(tokens.remaining),
            "x-ratelimit-reset-tokens": f"{tokens.resets_in}s",
        }
    return headers
