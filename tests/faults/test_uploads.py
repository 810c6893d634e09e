"""Many large uploads at once to a real API process: they take turns, and stay within the budget of bodies."""

from pathlib import Path

from tests.api_process import ApiProcess
from tests.freezing import children
from tests.integration.growth import RESET_PEAK, kilobytes
from tests.uploads import upload_all

UPLOADS = 100
UPLOAD_BYTES = 3_000_000
MEMORY_BYTES = 200_000_000
"""Three times BODY_BUDGET_BYTES, for bodies and what is made of them, and less than what is sent."""


def test_many_uploads_at_once_take_turns_within_the_budget_of_bodies(shared_process: ApiProcess) -> None:
    (server,) = children(shared_process.process.pid)
    before = kilobytes(server, "VmRSS")
    Path(f"/proc/{server}/clear_refs").write_text(RESET_PEAK)
    assert upload_all(shared_process.url, UPLOADS, UPLOAD_BYTES) <= {422, 503}
    grown = 1024 * (kilobytes(server, "VmHWM") - before)
    assert grown < MEMORY_BYTES < UPLOADS * UPLOAD_BYTES
