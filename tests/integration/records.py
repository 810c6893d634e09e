"""Records of the request log, as the API makes them."""

from typing import Any

from shared.times import now
from tests.integration.asking import an_id


def records(number: int, **values: Any) -> list[dict[str, Any]]:
    moment = now()
    common = {"client": "anonymous", "outcome": "miss", "status": 202, "latency_ms": 1.5}
    return [{**common, "id": str(an_id(moment)), **values} for _ in range(number)]
