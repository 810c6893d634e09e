"""`python -m tests.browser.first_paint [URL]`: how long a browser that has never been here shows nothing.

Opens the page again and again, each time with an empty cache, and prints the median, the 90th percentile and the worst
of what the browser says itself (Paint Timing and Resource Timing, from the start of the navigation). Without a URL it
starts an AskOnce of its own. It means something only on a machine that does nothing else.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median, quantiles

from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.browser.own_stack import own_stack

VISITS = 30
SIZE = {"width": 1200, "height": 940}
TIMES = """() => new Promise((done) => {
    const told = () => {
        const page = performance.getEntriesByType("navigation")[0];
        const files = performance.getEntriesByType("resource");
        const blocking = files.filter((each) => each.renderBlockingStatus === "blocking");
        const painted = performance.getEntriesByName("first-contentful-paint")[0];
        return painted && {
            "first byte of the document": page.responseStart,
            "document read": page.responseEnd,
            "files that block the paint": Math.max(page.responseEnd, ...blocking.map((each) => each.responseEnd)),
            "first paint": painted.startTime,
            "modules have run": page.domContentLoadedEventEnd,
            blocking: blocking.length,
        };
    };
    const look = () => { const found = told(); found ? done(found) : setTimeout(look, 10); };
    look();
})"""


def main(arguments: Sequence[str]) -> None:
    """Print a line for each moment of a visit."""
    with ExitStack() as at_the_end:
        url = arguments[0].rstrip("/") if arguments else at_the_end.enter_context(own_stack({})).url("")
        browser = at_the_end.enter_context(chromium())
        # The first one pays for what server and browser do once in their lives.
        visits = [_visit(browser, url) for _ in range(VISITS + 1)][1:]
    blocking = visits[0].pop("blocking")
    sys.stdout.write(f"{VISITS} visits with an empty cache; {blocking:g} files block the paint\n")
    sys.stdout.write(f"{'ms':>32}{'median':>10}{'p90':>10}{'worst':>10}\n")
    for moment in visits[0]:
        times = [visit[moment] for visit in visits]
        sys.stdout.write(f"{moment:>32}{median(times):10.0f}{quantiles(times, n=10)[-1]:10.0f}{max(times):10.0f}\n")


def _visit(browser: Browser, url: str) -> dict[str, float]:
    context = browser.new_context(viewport=SIZE)
    try:
        page = context.new_page()
        page.goto(url)
        moments: dict[str, float] = page.evaluate(TIMES)
        return moments
    finally:
        context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
