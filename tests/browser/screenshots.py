"""`make screenshots`: takes the pictures of the README, of a stack of its own with a month of invented figures."""

import io
import sys
from datetime import UTC, datetime
from typing import Literal

import psycopg2
from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect
from psycopg2.extras import execute_batch

from shared.request_log.aggregates import ADD_TO_AGGREGATES, COUNTERS
from tests.browser.chromium import chromium
from tests.browser.own_stack import own_stack
from tests.browser.planted_month import planted_rows
from tests.browser.watched import Tab, opened
from tests.checkout import CHECKOUT
from tests.stack import Stack

IMAGES = CHECKOUT / "docs" / "images"
SIZE: ViewportSize = {"width": 1200, "height": 940}
COLOURS = 256
QUESTION = "AskOnce answers AI requests and remembers the answers, so that the provider is paid once."
COLUMNS = ("hour", "tenant", "task_type", "outcome", "code", *COUNTERS, "latency_histogram")
PLANT = """
    WITH fresh_aggregates AS (SELECT {}::timestamptz AS hour, {}), {}
    SELECT 1
"""


def main() -> None:
    """Start a stack, and take the pictures."""
    with own_stack({"GROQ_REQUESTS_PER_MINUTE": "600"}) as stack, chromium() as browser:
        _plant(stack)
        _take(browser, stack, "light", "")
        _take(browser, stack, "dark", "-dark")


def _plant(stack: Stack) -> None:
    typed = {"latency_histogram": "bigint[]", "cost": "numeric", "latency_ms_sum": "float8"}
    texts = dict.fromkeys(COLUMNS[1:5], "text")
    values = ", ".join(f"%({name})s::{texts.get(name) or typed.get(name, 'bigint')} AS {name}" for name in COLUMNS[1:])
    statement = PLANT.format("%(hour)s", values, ADD_TO_AGGREGATES)
    connection = psycopg2.connect(stack.environment["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        execute_batch(cursor, statement, planted_rows(datetime.now(UTC)), page_size=500)
    connection.close()


def _take(browser: Browser, stack: Stack, scheme: Literal["light", "dark"], suffix: str) -> None:
    window = browser.new_context(viewport=SIZE, color_scheme=scheme)
    with opened(window, stack.url("")) as tab:
        tab.open("overview")
        tab.see("#workers", "text@")
        _save(tab, f"overview{suffix}")
        if suffix:
            return
        tab.open("playground")
        tab.see("#snippet", "curl")
        tab.page.fill("#text", QUESTION)
        tab.page.click("#send")
        tab.see("#steps-said", "a hit in memcached")
        expect(tab.page.locator("#send")).to_be_enabled()
        _save(tab, "playground")


def _save(tab: Tab, name: str) -> None:
    """Write a picture in its most common colours, which is all that a flat page has beside soft edges."""
    tab.page.evaluate("scrollTo(0, 0)")
    picture = Image.open(io.BytesIO(tab.page.screenshot(animations="disabled"))).convert("RGB")
    common = sorted(picture.getcolors(picture.width * picture.height), reverse=True)[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for _, colour in common for channel in colour])
    IMAGES.mkdir(exist_ok=True)
    flat = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    flat.save(IMAGES / f"{name}.png", optimize=True)
    sys.stdout.write(f"docs/images/{name}.png\n")


if __name__ == "__main__":
    main()
